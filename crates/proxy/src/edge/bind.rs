//! Listening sockets, several on the same address.

use std::io;
use std::net::{SocketAddr, TcpListener};

use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};

/// How many connections may wait to be accepted by one worker.
const BACKLOG: i32 = 1024;

/// Opens one listener for each worker. The kernel spreads connections over them by `SO_REUSEPORT`.
///
/// A socket without that option is bound first: with it alone, another program of the same user that sets it too would
/// silently share our port.
pub(super) fn listeners(address: SocketAddr, workers: usize) -> io::Result<Vec<TcpListener>> {
    drop(bound(address, false)?);
    (0..workers).map(|_| another(address)).collect()
}

/// Opens one more listener on an address that is ours already.
pub(super) fn another(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = bound(address, true)?;
    listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

fn bound(address: SocketAddr, shared: bool) -> io::Result<OwnedFd> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = socket_with(family, SocketType::STREAM, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC, None)?;
    // Connections of an edge before this one that linger in TIME_WAIT must not keep us from the port.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_socket_reuseport(&socket, shared)?;
    bind(&socket, &address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_listened_on_is_refused_even_if_its_holder_shares_it() {
        let probe = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let held = listeners(address, 2).unwrap();
        assert_eq!(held.len(), 2);
        let error = listeners(address, 2).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }
}
