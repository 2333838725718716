//! Why a shim cannot do its work.

use std::io;

use thiserror::Error;

/// Why a shim ended without holding an instance.
#[derive(Debug, Error)]
pub enum ShimError {
    /// What came over standard input is not a specification.
    #[error(
        "the specification on standard input cannot be used: {reason}; `pilotage shim` is started by Pilotage itself"
    )]
    Spec {
        /// Why.
        reason: String,
    },
    /// An operation of the system failed.
    #[error("cannot {doing}: {error}")]
    Io {
        /// What was being done.
        doing: String,
        /// The system's answer.
        error: io::Error,
    },
}

impl ShimError {
    /// Names what was being done, for `map_err`.
    pub(super) fn io<E: Into<io::Error>>(doing: impl Into<String>) -> impl FnOnce(E) -> Self {
        move |error| Self::Io { doing: doing.into(), error: error.into() }
    }
}
