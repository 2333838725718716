//! Ports that nobody uses.

use std::net::TcpListener;

use super::RigError;

/// So many different free ports. Another program could take one before it is used, which then fails to start.
pub(crate) fn free<const COUNT: usize>() -> Result<[u16; COUNT], RigError> {
    let mut ports = [0; COUNT];
    // All are held until the last is found, so that they differ.
    let mut held = Vec::new();
    for port in &mut ports {
        let found = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| {
            *port = listener.local_addr()?.port();
            held.push(listener);
            Ok(())
        });
        found.map_err(|_| RigError::Unfit("there is no free port on 127.0.0.1"))?;
    }
    Ok(ports)
}
