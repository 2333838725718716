//! Why objects cannot be had from what the project has.

use pilotage_targets::TargetError;
use thiserror::Error;

/// Why objects cannot be had. Every message says where, what, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RenderError {
    /// A file or folder of the project, or an object in it.
    #[error("{place}: {reason}")]
    Input {
        /// The file, with document and line where they are known.
        place: String,
        /// What is wrong and what to do.
        reason: String,
    },
    /// None of the programs that render this is installed.
    #[error(
        "{place} cannot be rendered: {wanted} is not installed where Pilotage's server runs; install it there, or render \
         beforehand and name the files under `manifests`"
    )]
    NoProgram {
        /// What was to be rendered.
        place: String,
        /// The programs that could.
        wanted: &'static str,
    },
    /// A program did not do it.
    #[error("{place}: `{program}` {reason}")]
    Program {
        /// What was to be rendered.
        place: String,
        /// The program.
        program: String,
        /// What it did, and what to do.
        reason: String,
    },
    /// The store of rendered objects.
    #[error("the rendered objects in {path} cannot be used: {reason}")]
    Store {
        /// The file or folder.
        path: String,
        /// What is wrong and what to do.
        reason: String,
    },
}

impl RenderError {
    pub(super) fn input(place: impl ToString, reason: impl Into<String>) -> Self {
        Self::Input { place: place.to_string(), reason: reason.into() }
    }
}

impl From<RenderError> for TargetError {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Input { place, reason } => Self::Artifact { path: place, reason },
            other => Self::Failed { doing: "render the objects".to_owned(), reason: other.to_string() },
        }
    }
}
