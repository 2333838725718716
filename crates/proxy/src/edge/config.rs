//! What an edge is started with.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::AccessLogTarget;

/// What an edge is started with.
#[derive(Debug, Clone)]
pub struct EdgeConfig {
    /// The control socket. A stale file from an edge that is gone is replaced.
    pub socket: PathBuf,
    /// The folder that holds the last table; created if it is missing. One edge at a time may use it.
    pub state_folder: PathBuf,
    /// How many worker threads carry traffic.
    pub workers: NonZeroUsize,
    /// How long requests in flight may take to finish after SIGTERM or SIGINT.
    pub grace: Duration,
    /// How long what is in flight may take to finish when another edge has taken over. Nobody waits for it, so that it can
    /// be long: only what takes longer is cut.
    pub drain: Duration,
    /// Time limits on the path of a request.
    pub limits: Limits,
    /// Where metrics and health are served over HTTP, to whoever can reach it: give it a loopback address.
    pub admin: Option<SocketAddr>,
    /// Where a line for each request is written.
    pub access_log: Option<AccessLogTarget>,
    /// Takes the place of the edge that answers on the control socket, with its listeners, its table and its counters.
    /// Without this, an edge that answers there is an error, unless it is of an older make
    /// ([`Identity::is_outdated`](crate::Identity::is_outdated)).
    pub take_over: bool,
    /// The arguments with which this program is started to take this edge's place, so with `take_over`. Empty: this edge
    /// cannot be replaced on request.
    pub successor: Vec<OsString>,
}

impl EdgeConfig {
    /// The defaults: one worker for each processor, 30 seconds of grace, an hour to drain, no admin address and no access log.
    pub fn new(socket: impl Into<PathBuf>, state_folder: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            state_folder: state_folder.into(),
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            grace: Duration::from_secs(30),
            drain: Duration::from_secs(60 * 60),
            limits: Limits::default(),
            admin: None,
            access_log: None,
            take_over: false,
            successor: Vec::new(),
        }
    }
}

/// Time limits on the path of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a client may keep a connection open without sending a request.
    pub client_idle: Duration,
    /// How long a client may take to send one request head.
    pub request_head: Duration,
    /// How long an idle connection to an endpoint is kept. Below five seconds, because servers commonly close theirs
    /// after that (Node's default), and a request must not meet a connection that is just being closed.
    pub upstream_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            client_idle: Duration::from_secs(75),
            request_head: Duration::from_secs(30),
            upstream_idle: Duration::from_secs(4),
        }
    }
}
