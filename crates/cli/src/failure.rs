//! What goes wrong, in the one place where it becomes words, hints and an exit status.

use std::io;

use pilotage_journal::OpenError;
use pilotage_server::{ClientError, ErrorBody, ErrorKind, FileError, ServeError, StateError};
use pilotage_spec::{LookupError, NameError, VersionError};

/// It was done.
pub const DONE: u8 = 0;
/// It failed.
pub const FAILED: u8 = 1;
/// It was rolled back.
pub const ROLLED_BACK: u8 = 2;
/// It waits for an approval, a window or a ticket.
pub const WAITS: u8 = 3;
/// It goes on, and was waited for long enough.
pub const TIMED_OUT: u8 = 4;
/// The command made no sense.
pub const USAGE: u8 = 64;

/// Why a command ends early.
#[derive(Debug)]
pub struct Failure {
    /// What kind of thing went wrong.
    pub kind: ErrorKind,
    /// What was wrong, and where.
    pub message: String,
    /// What to do about it.
    pub hints: Vec<String>,
    /// The exit status.
    pub exit_code: u8,
}

impl Failure {
    /// Something that could not be done.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Internal, message)
    }

    /// A command that makes no sense.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::of(ErrorKind::Usage, message)
    }

    fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        ErrorBody::new(kind, message).into()
    }

    /// As the API says it.
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            kind: self.kind,
            message: self.message.clone(),
            help: (!self.hints.is_empty()).then(|| self.hints.join("\n")),
            exit_code: self.exit_code,
        }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

impl From<ErrorBody> for Failure {
    fn from(error: ErrorBody) -> Self {
        Self {
            kind: error.kind,
            message: error.message,
            hints: error.help.into_iter().collect(),
            exit_code: error.exit_code,
        }
    }
}

/// A command line that makes no sense. The first paragraph says what is wrong, the others what would be right.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let mut paragraphs = text.trim().split("\n\n").map(str::trim);
        let message = paragraphs.next().unwrap_or_default();
        let failure = Self::usage(message.strip_prefix("error: ").unwrap_or(message));
        paragraphs.fold(failure, Self::hint)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(body) => body.into(),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        ErrorBody::from(error).into()
    }
}

impl From<LookupError> for Failure {
    fn from(error: LookupError) -> Self {
        ErrorBody::from(error).into()
    }
}

impl From<NameError> for Failure {
    fn from(error: NameError) -> Self {
        ErrorBody::from(error).into()
    }
}

impl From<VersionError> for Failure {
    fn from(error: VersionError) -> Self {
        ErrorBody::from(error).into()
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let failure = Self::failed(error.to_string());
        match error {
            ServeError::Journal(OpenError::Newer { .. }) => {
                failure.hint("install that version, or give another state folder with --state")
            }
            _ => failure,
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<pilotage_engine::DeploymentIdError> for Failure {
    fn from(error: pilotage_engine::DeploymentIdError) -> Self {
        ErrorBody::new(ErrorKind::Usage, error.to_string()).into()
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::failed(error.to_string())
    }
}
