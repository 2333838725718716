//! Why an edge cannot start or go on.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why an edge cannot start or go on.
#[derive(Debug, Error)]
pub enum EdgeError {
    /// Another edge answers on the control socket.
    #[error(
        "{} already serves this socket: {}; replace it with `pilotage edge reload`, stop it, or use another socket",
        holder(*.pid),
        .socket.display()
    )]
    SocketServed {
        /// The control socket.
        socket: PathBuf,
        /// The process that serves it, if it says so.
        pid: Option<u32>,
    },
    /// Another edge uses the state folder.
    #[error(
        "another edge already uses the state folder {}; replace it with `pilotage edge reload`, stop it, or use another \
         folder",
        .folder.display()
    )]
    StateInUse {
        /// The state folder.
        folder: PathBuf,
    },
    /// This edge was to take the place of another, and nothing came of it; the other serves on.
    #[error("cannot take over from the edge on {}: {reason}", .socket.display())]
    TakeOver {
        /// The control socket.
        socket: PathBuf,
        /// Why.
        reason: String,
    },
    /// This edge was to take the place of another that uses another state folder.
    #[error(
        "the edge to take over from does not use the state folder {}; name the folder that it uses",
        .folder.display()
    )]
    OtherFolder {
        /// The state folder of this edge.
        folder: PathBuf,
    },
    /// A file, socket or thread that the edge needs cannot be had.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// A worker thread ended by itself, which is a defect; the edge stops so that its supervisor starts a sound one.
    #[error("worker thread {index} ended unexpectedly; the edge stops, start it again")]
    WorkerEnded {
        /// Which worker.
        index: usize,
    },
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another program".to_owned(), |pid| format!("an edge with pid {pid}"))
}

impl EdgeError {
    /// For `map_err`: an input or output error with what was being done.
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}
