//! Opening a connection to an instance.

use std::io;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream};

use crate::Address;
use crate::worker::stream::Transport;

/// Connects within a time limit.
pub(super) async fn connect(address: &Address, limit: Duration) -> io::Result<Transport> {
    let connecting = async {
        match address {
            Address::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Transport::Tcp(stream))
            }
            Address::Unix(path) => UnixStream::connect(path).await.map(Transport::Unix),
        }
    };
    tokio::time::timeout(limit, connecting).await?
}
