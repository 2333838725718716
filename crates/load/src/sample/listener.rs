//! Where the sample service listens.

use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use pilotage_proxy::Address;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::{SampleError, SampleSettings};

/// The variable that names the unix socket to listen on.
const SOCKET_VARIABLE: &str = "PILOTAGE_SOCKET";

/// The variable that names the port to listen on.
const PORT_VARIABLE: &str = "PORT";

/// An open listener.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix { listener: UnixListener, _own: Option<OwnSocket> },
}

/// A connection that was taken.
#[derive(Debug)]
pub(super) enum Accepted {
    Tcp(TcpStream),
    Unix(UnixStream),
}

/// A unix socket that goes when its listener goes.
#[derive(Debug)]
pub(super) struct OwnSocket(PathBuf);

impl Listener {
    /// Where the process was told to: a passed listener (`sd_listen_fds(3)`), else what the settings say, else what the
    /// environment says.
    pub(super) async fn told(mut settings: SampleSettings) -> Result<Self, SampleError> {
        if let Some(listener) = passed()? {
            return Ok(listener);
        }
        if settings.port.is_none() && settings.socket.is_none() {
            settings.socket = std::env::var_os(SOCKET_VARIABLE).map(PathBuf::from);
            settings.port = std::env::var(PORT_VARIABLE).ok().and_then(|port| port.parse().ok());
        }
        Self::bind(&settings).await
    }

    /// What the settings say; the socket wins over the port.
    pub(super) async fn bind(settings: &SampleSettings) -> Result<Self, SampleError> {
        if let Some(path) = &settings.socket {
            let failed = |source| SampleError::Listen { address: Address::Unix(path.clone()), source };
            remove_stale(path).map_err(failed)?;
            let listener = UnixListener::bind(path).map_err(failed)?;
            return Ok(Self::Unix { listener, _own: Some(OwnSocket(path.clone())) });
        }
        let port = settings.port.ok_or(SampleError::NoPort)?;
        let address = SocketAddr::from((settings.host, port));
        let failed = |source| SampleError::Listen { address: address.into(), source };
        TcpListener::bind(address).await.map(Self::Tcp).map_err(failed)
    }

    pub(super) fn address(&self) -> io::Result<Address> {
        match self {
            Self::Tcp(listener) => listener.local_addr().map(Address::Tcp),
            Self::Unix { listener, .. } => {
                let path = listener.local_addr()?.as_pathname().map(Path::to_owned);
                Ok(Address::Unix(path.unwrap_or_default()))
            }
        }
    }

    pub(super) async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Without it, small answers could wait for the client's acknowledgement; a refusal only costs that time.
                let _ = stream.set_nodelay(true);
                Ok(Accepted::Tcp(stream))
            }
            Self::Unix { listener, .. } => Ok(Accepted::Unix(listener.accept().await?.0)),
        }
    }
}

/// The first listener that the parent process passed to this one, if it passed any.
fn passed() -> Result<Option<Listener>, SampleError> {
    let mut passed = ListenFd::from_env();
    if passed.len() == 0 {
        return Ok(None);
    }
    // Each of the two refuses the other's kind and leaves it in place.
    if let Ok(Some(listener)) = passed.take_unix_listener(0) {
        listener.set_nonblocking(true)?;
        return Ok(Some(Listener::Unix { listener: UnixListener::from_std(listener)?, _own: None }));
    }
    let listener = passed.take_tcp_listener(0)?.ok_or(SampleError::NoPort)?;
    listener.set_nonblocking(true)?;
    Ok(Some(Listener::Tcp(TcpListener::from_std(listener)?)))
}

/// Removes the socket of a service that is gone. Anything else in its place stays, and the bind fails.
fn remove_stale(path: &Path) -> io::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(meta)
            if meta.file_type().is_socket() && std::os::unix::net::UnixStream::connect(path).is_err() =>
        {
            std::fs::remove_file(path)
        }
        _ => Ok(()),
    }
}

impl Drop for OwnSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
