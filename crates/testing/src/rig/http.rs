//! The smallest HTTP client: one GET, one answer, over any stream.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(5);

/// More than any answer that is awaited here.
const LIMIT: u64 = 1 << 20;

/// The status and the whole text, head included, that `GET path` at the address (`127.0.0.1:80`) is answered with.
///
/// # Errors
///
/// What the connection says, or an answer that is none of HTTP.
pub fn get(address: &str, path: &str) -> io::Result<(u16, String)> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(TIME))?;
    exchange(stream, path)
}

/// The same over a unix socket.
pub(crate) fn get_unix(socket: &Path, path: &str) -> io::Result<(u16, String)> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TIME))?;
    exchange(stream, path)
}

fn exchange(mut stream: impl Read + Write, path: &str) -> io::Result<(u16, String)> {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: rig\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(LIMIT).read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("the answer is not one of HTTP"))?;
    Ok((status, answer))
}
