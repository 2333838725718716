//! How the control plane speaks to an edge.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::Mutex;

use crate::control::{EdgeStats, Identity, Replacement, Request, Response};
use crate::table::RoutingTable;

/// How long an answer may take. A table waits for the disk; nothing else takes noticeable time.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long a reload may take: the edge waits 20 s for the one that is to take its place.
const RELOAD_LIMIT: Duration = Duration::from_secs(30);

/// Bytes that are read at a time: the counters of a thousand routes are some hundred thousand.
const READ_AT_A_TIME: usize = 64 * 1024;

/// How often a request is sent on a new connection. More than once, because the first may have been accepted by an edge
/// that is just being replaced.
const ATTEMPTS: usize = 3;

/// Speaks to one edge over its control socket. Clones share a connection, which is opened again when it is lost, for
/// instance because the edge was restarted.
#[derive(Debug, Clone)]
pub struct EdgeClient {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    connection: Mutex<Option<BufReader<UnixStream>>>,
}

/// Why an edge could not be asked, or did not do what it was asked.
#[derive(Debug, Error)]
pub enum EdgeClientError {
    /// Nobody answers on the socket.
    #[error("no edge answers on {}: {source}; start it with `pilotage edge`", .socket.display())]
    Unreachable {
        /// The control socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The connection broke before the answer came; whether the request took effect is unknown. Asking again is safe.
    #[error("the connection to the edge on {} broke: {source}", .socket.display())]
    Broken {
        /// The control socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No answer in time; whether the request took effect is unknown. Asking again is safe.
    #[error("the edge on {} did not answer within {} s", .socket.display(), .limit.as_secs())]
    Timeout {
        /// The control socket.
        socket: PathBuf,
        /// How long was waited.
        limit: Duration,
    },
    /// The edge refused, and has changed nothing.
    #[error("the edge refused: {reason}")]
    Refused {
        /// Why.
        reason: String,
    },
    /// Something else than an edge of a known version answers.
    #[error("what answers on {} does not speak as an edge does: {reason}", .socket.display())]
    Protocol {
        /// The control socket.
        socket: PathBuf,
        /// What was odd.
        reason: String,
    },
}

impl EdgeClient {
    /// Connects to the edge behind a socket.
    pub async fn connect(socket: impl Into<PathBuf>) -> Result<Self, EdgeClientError> {
        let path = socket.into();
        let connection = open(&path).await?;
        Ok(Self { inner: Arc::new(Inner { path, connection: Mutex::new(Some(connection)) }) })
    }

    /// Hands over a table, and returns its epoch when every worker uses it and it is on disk. A refused table changes
    /// nothing. Handing over the table in use again is answered at once.
    pub async fn apply(&self, table: RoutingTable) -> Result<u64, EdgeClientError> {
        match self.ask(&Request::Apply { table }).await? {
            Response::Applied { epoch } => Ok(epoch),
            other => Err(self.unexpected(&other)),
        }
    }

    /// The table in use.
    pub async fn table(&self) -> Result<RoutingTable, EdgeClientError> {
        match self.ask(&Request::Table).await? {
            Response::Table { table } => Ok(table),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Everything counted since the edge started.
    pub async fn stats(&self) -> Result<EdgeStats, EdgeClientError> {
        match self.ask(&Request::Stats).await? {
            Response::Stats { stats } => Ok(stats),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Who the edge is.
    pub async fn identify(&self) -> Result<Identity, EdgeClientError> {
        match self.ask(&Request::Identify).await? {
            Response::Identity { identity } => Ok(identity),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Has the edge start another one, which takes its place without a connection being refused or reset, and returns when
    /// that one serves. `executable` is the program to start, unless it is to be the one that the edge was started from.
    ///
    /// If it fails, the edge that was asked serves on.
    pub async fn reload(&self, executable: Option<&Path>) -> Result<Replacement, EdgeClientError> {
        let request = Request::Reload { executable: executable.map(Path::to_owned) };
        match self.ask_within(&request, RELOAD_LIMIT).await? {
            Response::Reloaded { replacement } => Ok(replacement),
            other => Err(self.unexpected(&other)),
        }
    }

    /// Asks the edge to stop, and to let requests in flight finish for at most `grace`. Returns before it has stopped.
    pub async fn shutdown(&self, grace: Duration) -> Result<(), EdgeClientError> {
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        match self.ask(&Request::Shutdown { grace_ms }).await? {
            Response::ShuttingDown => Ok(()),
            other => Err(self.unexpected(&other)),
        }
    }

    async fn ask(&self, request: &Request) -> Result<Response, EdgeClientError> {
        self.ask_within(request, ANSWER_LIMIT).await
    }

    /// One request, one answer. The connection is out of its place meanwhile: a call that is given up half way leaves
    /// none behind with the answer to another question.
    async fn ask_within(&self, request: &Request, limit: Duration) -> Result<Response, EdgeClientError> {
        let line = self.line(request)?;
        let mut place = self.inner.connection.lock().await;
        let mut kept = place.take();
        let mut attempts = 0;
        loop {
            let connection = match kept.take() {
                Some(connection) => connection,
                None => {
                    attempts += 1;
                    open(&self.inner.path).await?
                }
            };
            match self.exchange(connection, &line, limit).await {
                // The edge was restarted or replaced since; every request may be repeated.
                Err(EdgeClientError::Broken { .. }) if attempts < ATTEMPTS => {}
                answered => return self.settle(&mut place, answered),
            }
        }
    }

    fn settle(
        &self,
        place: &mut Option<BufReader<UnixStream>>,
        answered: Result<(Response, BufReader<UnixStream>), EdgeClientError>,
    ) -> Result<Response, EdgeClientError> {
        let (response, connection) = answered?;
        *place = Some(connection);
        match response {
            Response::Refused { reason } => Err(EdgeClientError::Refused { reason }),
            response => Ok(response),
        }
    }

    async fn exchange(
        &self,
        mut connection: BufReader<UnixStream>,
        line: &[u8],
        limit: Duration,
    ) -> Result<(Response, BufReader<UnixStream>), EdgeClientError> {
        let mut text = Vec::new();
        let asking = async {
            connection.get_mut().write_all(line).await?;
            connection.read_until(b'\n', &mut text).await
        };
        match tokio::time::timeout(limit, asking).await {
            Err(_) => Err(EdgeClientError::Timeout { socket: self.inner.path.clone(), limit }),
            Ok(Err(source)) => Err(EdgeClientError::Broken { socket: self.inner.path.clone(), source }),
            Ok(Ok(_)) if text.last() != Some(&b'\n') => {
                let source = io::ErrorKind::UnexpectedEof.into();
                Err(EdgeClientError::Broken { socket: self.inner.path.clone(), source })
            }
            Ok(Ok(_)) => match serde_json::from_slice(&text) {
                Ok(response) => Ok((response, connection)),
                Err(error) => Err(self.protocol(error.to_string())),
            },
        }
    }

    fn line(&self, request: &Request) -> Result<Vec<u8>, EdgeClientError> {
        let mut line = serde_json::to_vec(request).map_err(|error| self.protocol(error.to_string()))?;
        line.push(b'\n');
        Ok(line)
    }

    fn unexpected(&self, response: &Response) -> EdgeClientError {
        self.protocol(format!("an answer to another question: {response:?}"))
    }

    fn protocol(&self, reason: String) -> EdgeClientError {
        EdgeClientError::Protocol { socket: self.inner.path.clone(), reason }
    }
}

async fn open(path: &Path) -> Result<BufReader<UnixStream>, EdgeClientError> {
    match tokio::time::timeout(ANSWER_LIMIT, UnixStream::connect(path)).await {
        Ok(Ok(stream)) => Ok(BufReader::with_capacity(READ_AT_A_TIME, stream)),
        Ok(Err(source)) => Err(EdgeClientError::Unreachable { socket: path.to_owned(), source }),
        Err(_) => Err(EdgeClientError::Timeout { socket: path.to_owned(), limit: ANSWER_LIMIT }),
    }
}
