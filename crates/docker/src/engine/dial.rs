//! Connections to an engine, however it is reached.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use super::host::Place;
use super::ssh::{LastWords, Ssh};
use super::tls::{Certificates, Tls};

/// A connection takes no longer than this to come about.
const CONNECT_WITHIN: Duration = Duration::from_secs(15);

/// Both directions of a connection.
pub(super) trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

/// Makes connections.
pub(super) struct Dialer {
    place: Place,
    tls: Option<Certificates>,
    ssh_program: PathBuf,
    words: LastWords,
}

impl Dialer {
    pub fn new(place: Place, tls: Option<Certificates>, ssh_program: &Path) -> Self {
        Self { place, tls, ssh_program: ssh_program.to_owned(), words: LastWords::default() }
    }

    /// What the `ssh` program said last, if it is used.
    pub fn last_words(&self) -> Option<String> {
        self.words.last_line()
    }

    /// Makes one connection.
    pub async fn dial(&self) -> io::Result<Box<dyn Connection>> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, "there is no connection within 15 s");
        timeout(CONNECT_WITHIN, self.connect()).await.unwrap_or_else(|elapsed| Err(late(elapsed)))
    }

    async fn connect(&self) -> io::Result<Box<dyn Connection>> {
        match &self.place {
            Place::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            Place::Ssh { user, host, port } => {
                let ssh = Ssh {
                    program: self.ssh_program.clone(),
                    user: user.clone(),
                    host: host.clone(),
                    port: *port,
                };
                Ok(Box::new(ssh.connect(&self.words)?))
            }
            Place::Tcp { host, port } => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                let Some(files) = self.tls.clone() else {
                    return if stream.peer_addr()?.ip().is_loopback() {
                        Ok(Box::new(stream))
                    } else {
                        Err(bare())
                    };
                };
                // Read for each connection, so that renewed files count.
                let name = host.clone();
                let tls = tokio::task::spawn_blocking(move || Tls::read(&files, &name))
                    .await
                    .map_err(io::Error::other)??;
                Ok(Box::new(tls.connector.connect(tls.name, stream).await?))
            }
        }
    }
}

/// Whoever reaches such a port has the whole machine.
fn bare() -> io::Error {
    let mend =
        "a port of another machine is used with TLS only; name `tls: { ca, cert, key }`, or use `ssh://`";
    io::Error::new(io::ErrorKind::InvalidInput, mend)
}
