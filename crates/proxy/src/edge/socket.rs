//! The control socket: who may speak to the edge, and how a line becomes an answer.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Mutex, Semaphore, mpsc};

use super::EdgeError;
use super::publish::Publisher;
use crate::control::{Identity, Request, Response};
use crate::{EdgeClient, EdgeClientError};

/// Longest line that is read: a table with tens of thousands of routes.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// Connections to the control socket at a time; further ones wait.
const MOST_CONNECTIONS: usize = 64;

const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The control socket; its file is removed with the value.
pub(super) struct ControlSocket {
    listener: UnixListener,
    path: PathBuf,
}

/// What the answers are made from.
pub(super) struct Control {
    pub(super) publisher: Mutex<Publisher>,
    pub(super) identity: Identity,
    /// Told the grace when somebody asks the edge to stop.
    pub(super) stop: mpsc::UnboundedSender<Duration>,
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
        Ok(Self { listener, path: path.to_owned() })
    }

    /// Answers whoever may ask, for ever.
    pub(super) async fn serve(&self, control: Arc<Control>) {
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let control = Arc::clone(&control);
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
}

impl Drop for ControlSocket {
    fn drop(&mut self) {
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
    let (read, mut write) = stream.into_split();
    if peer != 0 && peer != geteuid().as_raw() {
        let reason = format!("user {peer} may not speak to this edge");
        return write.write_all(&line(&Response::Refused { reason })).await;
    }
    let mut read = BufReader::new(read);
    let mut text = Vec::new();
    loop {
        text.clear();
        let length = (&mut read).take(LONGEST_LINE + 1).read_until(b'\n', &mut text).await?;
        if length == 0 {
            return Ok(());
        }
        if length as u64 > LONGEST_LINE {
            // Where the next request begins cannot be known.
            let reason = format!("the request is longer than {LONGEST_LINE} bytes");
            return write.write_all(&line(&Response::Refused { reason })).await;
        }
        let response = match serde_json::from_slice(&text) {
            Ok(request) => answer(request, control).await,
            Err(error) => Response::Refused { reason: format!("the request cannot be read: {error}") },
        };
        write.write_all(&line(&response)).await?;
    }
}

async fn answer(request: Request, control: &Control) -> Response {
    match request {
        Request::Apply { table } => match control.publisher.lock().await.apply(table).await {
            Ok(epoch) => Response::Applied { epoch },
            Err(reason) => {
                tracing::warn!("a table was refused: {reason}");
                Response::Refused { reason }
            }
        },
        Request::Table => Response::Table { table: control.publisher.lock().await.table() },
        Request::Stats => Response::Stats { stats: control.publisher.lock().await.stats() },
        Request::Identify => Response::Identity { identity: control.identity.clone() },
        Request::Shutdown { grace_ms } => {
            // Already stopping is as good.
            let _ = control.stop.send(Duration::from_millis(grace_ms));
            Response::ShuttingDown
        }
    }
}

fn line(response: &Response) -> Vec<u8> {
    let mut text = serde_json::to_vec(response).unwrap_or_else(|error| {
        // Our own types always serialize; should that ever be wrong, the asker is told so.
        format!("{{\"response\":\"refused\",\"reason\":\"the answer cannot be written: {error}\"}}")
            .into_bytes()
    });
    text.push(b'\n');
    text
}
