//! What an edge is started with.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

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
    /// Time limits on the path of a request.
    pub limits: Limits,
}

impl EdgeConfig {
    /// The defaults: one worker for each processor, 30 seconds of grace.
    pub fn new(socket: impl Into<PathBuf>, state_folder: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            state_folder: state_folder.into(),
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            grace: Duration::from_secs(30),
            limits: Limits::default(),
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
