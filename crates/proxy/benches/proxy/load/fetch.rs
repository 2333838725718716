//! One request.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::fault::{During, Fault};

const PATIENCE: Duration = Duration::from_secs(10);

/// Sends one request for `/` on a connection of its own, and returns the answer as text, its head included.
pub fn fetch(address: SocketAddr) -> Result<String, Fault> {
    let read = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    read().during(format_args!("asking {address}"))
}
