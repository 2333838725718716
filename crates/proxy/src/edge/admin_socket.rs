//! The listening socket of the admin address: bound here, or taken over from the edge before.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::sleep;

/// How often an address that is taken is tried again.
const BIND_AGAIN: Duration = Duration::from_secs(1);

/// The listening socket of the admin address, if there is one.
#[derive(Debug)]
pub(super) struct AdminSocket {
    address: Option<SocketAddr>,
    /// The socket itself, for an edge that takes over; `None` also while the address cannot be had.
    held: Mutex<Option<OwnedFd>>,
    /// True once another edge answers there.
    closed: watch::Sender<bool>,
}

impl AdminSocket {
    /// With what the edge before has handed over, if that is for the same address.
    pub(super) fn new(address: Option<SocketAddr>, given: Option<(SocketAddr, OwnedFd)>) -> Self {
        let given = given.filter(|(given, _)| Some(*given) == address);
        let held = Mutex::new(given.map(|(_, socket)| socket));
        Self { address, held, closed: watch::Sender::new(false) }
    }

    /// Where the pages are served, if they are.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// The socket to accept from. An address that is taken by another program is tried again until it is free: it keeps
    /// no edge from carrying traffic.
    pub(super) async fn listener(&self, address: SocketAddr) -> TcpListener {
        let mut told = false;
        loop {
            match self.listen(address).await {
                Ok(listener) => return listener,
                Err(error) if !told => {
                    tracing::error!("{}; the edge keeps trying", cannot_bind(address, &error));
                    told = true;
                }
                Err(_) => {}
            }
            sleep(BIND_AGAIN).await;
        }
    }

    /// A duplicate for another edge, with its address.
    pub(super) fn duplicate(&self) -> io::Result<Option<(SocketAddr, OwnedFd)>> {
        let held = self.held();
        let (Some(address), Some(socket)) = (self.address, &*held) else { return Ok(None) };
        Ok(Some((address, socket.try_clone()?)))
    }

    /// Leaves the address to the edge that has taken over.
    pub(super) fn close(&self) {
        self.held().take();
        self.closed.send_replace(true);
    }

    /// Hears when the address is left to another edge.
    pub(super) fn closed(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }

    async fn listen(&self, address: SocketAddr) -> io::Result<TcpListener> {
        let given = self.held().as_ref().map(OwnedFd::try_clone).transpose()?;
        if let Some(given) = given {
            return TcpListener::from_std(given.into());
        }
        let listener = TcpListener::bind(address).await?;
        *self.held() = Some(listener.as_fd().try_clone_to_owned()?);
        Ok(listener)
    }

    fn held(&self) -> MutexGuard<'_, Option<OwnedFd>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cannot_bind(address: SocketAddr, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::AddrInUse {
        return format!("the admin address {address} is in use by another program");
    }
    format!("cannot listen on the admin address {address}: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn bound() -> (AdminSocket, SocketAddr) {
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let socket = AdminSocket::new(Some(address), None);
        socket.listener(address).await;
        (socket, address)
    }

    #[tokio::test]
    async fn the_socket_is_used_on_by_the_next_edge() {
        let (first, address) = bound().await;
        let second = AdminSocket::new(Some(address), first.duplicate().unwrap());
        first.close();
        assert!(*first.closed().borrow() && first.duplicate().unwrap().is_none());
        let listener = second.listener(address).await;
        let (connected, accepted) = tokio::join!(tokio::net::TcpStream::connect(address), listener.accept());
        assert!(connected.is_ok() && accepted.is_ok());
    }

    #[tokio::test]
    async fn an_edge_with_another_address_does_not_use_it() {
        let (first, address) = bound().await;
        let given = first.duplicate().unwrap();
        let elsewhere = AdminSocket::new(Some(SocketAddr::from(([127, 0, 0, 1], 1))), given);
        assert!(elsewhere.duplicate().unwrap().is_none());
        first.close();
        assert!(std::net::TcpListener::bind(address).is_ok(), "nobody holds it");
    }
}
