//! The addresses at which users reach workloads.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::{SocketAddr, TcpListener};

use pilotage_spec::Workload;

use crate::process::shim::ReservedPort;
use crate::{TargetError, Traffic};

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
    if let Some(kept) = kept.filter(|kept| served == Some(*kept) || check_free(*kept).is_ok()) {
        return Ok(kept);
    }
    let port = ReservedPort::choose(None).ok_or_else(|| TargetError::Failed {
        doing: format!("choose a port on {}", wanted.ip()),
        reason: "none from 20000 to 31999 is free; give the service a `port`".into(),
    })?;
    Ok(SocketAddr::new(wanted.ip(), port.port()))
}

/// Says whether somebody else prevents listening where the edge does not listen yet.
pub(super) fn check_new(traffic: &Traffic, served: &BTreeMap<Workload, Traffic>) -> Result<(), TargetError> {
    let used: BTreeSet<SocketAddr> = served.values().flat_map(addresses).collect();
    addresses(traffic).filter(|address| !used.contains(address)).try_for_each(check_free)
}

/// Where the edge listens for a workload.
fn addresses(traffic: &Traffic) -> impl Iterator<Item = SocketAddr> {
    let redirect = traffic.edge.as_ref().and_then(|edge| edge.redirect);
    std::iter::once(traffic.listen).chain(redirect)
}

/// Says whether somebody else prevents listening at an address.
fn check_free(address: SocketAddr) -> Result<(), TargetError> {
    let failed = |reason: String| TargetError::Failed { doing: format!("listen on {address}"), reason };
    match TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.kind() {
            io::ErrorKind::AddrInUse => TargetError::PortInUse { address },
            io::ErrorKind::PermissionDenied => failed(
                "ports below 1024 need a privilege; give the service a `port` above, or Pilotage CAP_NET_BIND_SERVICE"
                    .into(),
            ),
            io::ErrorKind::AddrNotAvailable => failed(
                "this machine does not have that address; correct `listen` of the environment".into(),
            ),
            _ => failed(error.to_string()),
        }),
    }
}
