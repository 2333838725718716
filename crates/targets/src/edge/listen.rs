//! The addresses at which users reach workloads.

use std::io;
use std::net::{SocketAddr, TcpListener};

use crate::TargetError;
use crate::process::ReservedPort;

/// The address with a port. If the port is left open it is the one before, unless somebody else has taken that since
/// the workload was `served` last; otherwise a free one.
pub fn with_port(
    wanted: SocketAddr,
    before: Option<SocketAddr>,
    served: Option<SocketAddr>,
) -> Result<SocketAddr, TargetError> {
    if wanted.port() != 0 {
        return Ok(wanted);
    }
    let kept = before.filter(|kept| kept.ip() == wanted.ip());
    if let Some(kept) = kept.filter(|kept| served == Some(*kept) || check_free(*kept, "").is_ok()) {
        return Ok(kept);
    }
    let port = ReservedPort::choose(None).ok_or_else(|| TargetError::Failed {
        doing: format!("choose a port on {}", wanted.ip()),
        reason: "none from 20000 to 31999 is free; give the service a `port`".into(),
    })?;
    Ok(SocketAddr::new(wanted.ip(), port.port()))
}

/// Says whether somebody else prevents listening at an address, which the file names at a key.
pub(super) fn check_free(address: SocketAddr, key: &str) -> Result<(), TargetError> {
    let failed = |reason: String| TargetError::Failed { doing: format!("listen on {address}"), reason };
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::AddrInUse => TargetError::PortInUse { address, key: key.to_owned() },
            io::ErrorKind::PermissionDenied => failed(format!(
                "ports below 1024 need a privilege; choose one above in {key}, or give Pilotage CAP_NET_BIND_SERVICE"
            )),
            io::ErrorKind::AddrNotAvailable => {
                failed(format!("this machine does not have that address; correct {key}"))
            }
            _ => failed(error.to_string()),
        }),
    }
}
