//! Why a rig cannot be brought up, found or changed.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a rig cannot be brought up, found or changed.
#[derive(Debug, Error)]
pub enum RigError {
    /// A program is not installed.
    #[error("{program} is missing; install the package `{package}`")]
    Missing {
        /// Its file name.
        program: &'static str,
        /// The Debian package that holds it.
        package: &'static str,
    },
    /// The machine cannot hold a rig.
    #[error("{0}")]
    Unfit(&'static str),
    /// A program could not be run, or failed.
    #[error("`{program}` failed: {reason}")]
    Command {
        /// The program and its first arguments.
        program: String,
        /// The system's reason, or what the program said.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file of the rig is not what it should be.
    #[error("{path}: {reason}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Something did not get ready in time, or ended before.
    #[error("{what} is not ready{log}")]
    NotReady {
        /// What was awaited.
        what: String,
        /// The end of its log, introduced, or nothing.
        log: String,
    },
    /// The rig is not up.
    #[error("the {rig} rig is not up; run `cargo xtask {rig} up`")]
    Down {
        /// Its name, as in the command.
        rig: &'static str,
    },
    /// The rig has no such part.
    #[error("the rig has no part called `{0}`")]
    NoSuchPart(String),
}

impl RigError {
    /// For the closures of `map_err`.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
