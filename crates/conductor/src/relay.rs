//! Makes an instance at a unix socket reachable for programs that only know URLs.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use pilotage_targets::Address;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::task::{JoinHandle, JoinSet};

/// A TCP address of an instance, for as long as this lives.
pub(crate) struct Reached {
    address: SocketAddr,
    relay: Option<JoinHandle<()>>,
}

impl Reached {
    /// The instance's own address; or, for a unix socket, one that passes all connections on to it.
    pub(crate) async fn open(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => Ok(Self { address: *address, relay: None }),
            Address::Unix(path) => {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
                let address = listener.local_addr()?;
                Ok(Self { address, relay: Some(tokio::spawn(relay(listener, path.clone()))) })
            }
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Reached {
    fn drop(&mut self) {
        if let Some(relay) = &self.relay {
            relay.abort();
        }
    }
}

async fn relay(listener: TcpListener, socket: PathBuf) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => drop(connections.spawn(pass_on(client, socket.clone()))),
                Err(_) => return,
            },
            // What has ended need not be remembered.
            Some(_) = connections.join_next() => {}
        }
    }
}

/// A connection that breaks is the caller's matter: it sees the same as if it had connected itself.
async fn pass_on(mut client: TcpStream, socket: PathBuf) {
    if let Ok(mut service) = UnixStream::connect(socket).await {
        let _ = copy_bidirectional(&mut client, &mut service).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn a_unix_socket_is_reached_by_tcp_as_long_as_it_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("service.http");
        let service = UnixListener::bind(&path).unwrap();
        let reached = Reached::open(&Address::Unix(path)).await.unwrap();
        let mut client = TcpStream::connect(reached.address()).await.unwrap();
        let (mut served, _) = service.accept().await.unwrap();
        served.write_all(b"hello").await.unwrap();
        drop(served);
        let mut text = String::new();
        client.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello");
        let address = reached.address();
        drop(reached);
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}
