//! The control socket: who may speak to the edge, and how a line becomes an answer.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::geteuid;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;

use super::EdgeError;
use super::connection::Connection;
use super::control::{Control, answer};
use super::handover::give;
use super::phase::Phase;
use crate::control::{Request, Response};
use crate::{EdgeClient, EdgeClientError};

/// Connections to the control socket at a time; further ones wait.
const MOST_CONNECTIONS: u32 = 64;

const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The control socket.
pub(super) struct ControlSocket {
    /// `None` once it is left to another edge: whoever connects must not wait for one that does not answer.
    listener: Mutex<Option<Arc<UnixListener>>>,
    path: PathBuf,
    places: Arc<Semaphore>,
}

impl ControlSocket {
    /// Binds the socket for this user alone. A file left behind by an edge that is gone is replaced.
    pub(super) async fn bind(path: &Path) -> Result<Self, EdgeError> {
        refuse_if_served(path).await?;
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(EdgeError::Io { doing: format!("replacing {}", path.display()), source: error });
            }
            _ => {}
        }
        let bind = || {
            let listener = UnixListener::bind(path)?;
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
            Ok(listener)
        };
        let listener =
            bind().map_err(EdgeError::io(format!("binding the control socket {}", path.display())))?;
        Ok(Self::new(listener, path))
    }

    /// Takes over the socket itself from the edge that has bound it: whoever connects meanwhile is answered by one of the
    /// two.
    pub(super) fn taken_over(path: &Path, socket: OwnedFd) -> Result<Self, EdgeError> {
        let listener = UnixListener::from_std(socket.into())
            .map_err(EdgeError::io(format!("taking over the control socket {}", path.display())))?;
        Ok(Self::new(listener, path))
    }

    fn new(listener: UnixListener, path: &Path) -> Self {
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS as usize));
        let listener = Mutex::new(Some(Arc::new(listener)));
        Self { listener, path: path.to_owned(), places }
    }

    /// The socket itself, for another edge.
    pub(super) fn duplicate(&self) -> io::Result<OwnedFd> {
        let listener = self.listener().clone().ok_or(io::ErrorKind::NotConnected)?;
        listener.as_fd().try_clone_to_owned()
    }

    /// Leaves the socket to the edge that has taken over.
    pub(super) fn close(&self) {
        self.listener().take();
    }

    fn listener(&self) -> MutexGuard<'_, Option<Arc<UnixListener>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers whoever may ask, for ever.
    pub(super) async fn serve(&self, control: &Arc<Control>) {
        let Some(listener) = self.listener().clone() else { return std::future::pending().await };
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let control = Arc::clone(control);
                    tokio::spawn(async move {
                        // A connection that breaks is its owner's affair.
                        let _ = converse(stream, &control).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a control connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Returns when the last conversation has ended.
    pub(super) async fn settled(&self) {
        // Fails only when the semaphore is closed, which it never is.
        let _ = self.places.acquire_many(MOST_CONNECTIONS).await;
    }

    /// Removes the socket's file. To be left to the edge that has taken over, if one has.
    pub(super) fn remove(&self) {
        // If it cannot be removed, the next edge replaces it.
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn refuse_if_served(path: &Path) -> Result<(), EdgeError> {
    let identity = match EdgeClient::connect(path).await {
        Ok(client) => client.identify().await,
        Err(EdgeClientError::Unreachable { .. }) => return Ok(()),
        Err(error) => Err(error),
    };
    // Somebody listens; who does not say a pid is not pushed aside either.
    let pid = identity.ok().map(|identity| identity.pid);
    Err(EdgeError::SocketServed { socket: path.to_owned(), pid })
}

async fn converse(stream: UnixStream, control: &Control) -> io::Result<()> {
    let peer = stream.peer_cred()?.uid();
    let mut connection = Connection::new(stream);
    if peer != 0 && peer != geteuid().as_raw() {
        let reason = format!("user {peer} may not speak to this edge");
        return connection.say(&Response::Refused { reason }).await;
    }
    loop {
        let line = tokio::select! {
            line = connection.hear_line() => line,
            // Whoever asks from now on is answered by the other edge; clients connect again.
            _ = control.phases.reached(&[Phase::HandedOver, Phase::Drained]) => return Ok(()),
        };
        let line = match line {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                // Where the next request begins cannot be known.
                return connection.say(&Response::Refused { reason: error.to_string() }).await;
            }
            Err(error) => return Err(error),
        };
        let response = match read(&line) {
            Ok(Request::TakeOver { format }) => return give(&mut connection, format, control).await,
            Ok(request) => answer(request, control).await,
            Err(error) => Some(Response::Refused { reason: format!("the request cannot be read: {error}") }),
        };
        let Some(response) = response else { return Ok(()) };
        connection.say(&response).await?;
    }
}

/// What a line asks. That it is text is found out once, and not again for each of the thousands of strings in a table.
fn read(line: &[u8]) -> serde_json::Result<Request> {
    match std::str::from_utf8(line) {
        Ok(line) => serde_json::from_str(line),
        // In a part that nobody needs it does no harm; anywhere else, the error says where it is.
        Err(_) => serde_json::from_slice(line),
    }
}
