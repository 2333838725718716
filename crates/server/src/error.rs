//! One shape for everything that can go wrong, and its way out of the program.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pilotage_access::TokenError;
use pilotage_conductor::ConductorError;
use pilotage_engine::DeploymentId;
use pilotage_journal::{BackupError, Holder, Lease, ReadError};
use pilotage_secrets::Known;
use pilotage_spec::{LookupError, NameError, VersionError, Workload};
use pilotage_targets::TargetError;
use pilotage_views::{RecordError, rfc3339};
use serde::{Deserialize, Serialize};

use crate::FileError;

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// What was asked for is not well formed.
    Usage,
    /// It is well formed, and there is no such thing.
    Unknown,
    /// `pilotage.yaml` cannot be used.
    File,
    /// Somebody else is at it.
    Busy,
    /// It cannot be done as things stand.
    Refused,
    /// Nobody knows who the caller is.
    Unauthenticated,
    /// The caller may not ask.
    Forbidden,
    /// The caller asks too often.
    TooMany,
    /// Something of ours, or of the machine, failed.
    Internal,
}

/// What went wrong, as it travels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The kind.
    pub kind: ErrorKind,
    /// What, and where.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The status with which a command that meets it ends.
    pub exit_code: u8,
}

impl ErrorBody {
    /// An error without advice.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let exit_code = match kind {
            ErrorKind::Usage | ErrorKind::Unknown | ErrorKind::File => 64,
            ErrorKind::Busy
            | ErrorKind::Refused
            | ErrorKind::Unauthenticated
            | ErrorKind::Forbidden
            | ErrorKind::TooMany
            | ErrorKind::Internal => 1,
        };
        Self { kind, message: message.into(), help: None, exit_code }
    }

    /// The same with advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Somebody else has the workload: a deployment, or for a moment the server itself.
    fn busy(workload: &Workload, lease: &Lease) -> Self {
        let (Holder { who, what }, since) = (&lease.holder, rfc3339(lease.since));
        if what.parse::<DeploymentId>().is_err() {
            let message = format!("{workload} is being looked after ({what}, by {who}, since {since})");
            return Self::new(ErrorKind::Busy, message).help("try again in a moment");
        }
        let message = format!("{workload} is being moved by {what}, which {who} started at {since}");
        Self::new(ErrorKind::Busy, message)
            .help(format!("wait for it (`pilotage status --watch`), or take it back: pilotage abort {what}"))
    }

    /// The same without what is known to be secret.
    pub(crate) fn masked(self, known: &Known) -> Self {
        let masked = |text: String| known.text(&text).into_owned();
        Self { message: masked(self.message), help: self.help.map(masked), ..self }
    }

    fn status(&self) -> StatusCode {
        match self.kind {
            ErrorKind::Usage => StatusCode::BAD_REQUEST,
            ErrorKind::Unknown => StatusCode::NOT_FOUND,
            ErrorKind::File => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Busy | ErrorKind::Refused => StatusCode::CONFLICT,
            ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
            ErrorKind::Forbidden => StatusCode::FORBIDDEN,
            ErrorKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for ErrorBody {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(&self)).into_response();
        // For whoever masks it on its way out.
        response.extensions_mut().insert(self);
        response
    }
}

impl From<ConductorError> for ErrorBody {
    fn from(error: ConductorError) -> Self {
        let message = error.to_string();
        match error {
            ConductorError::Busy { workload, lease } => Self::busy(&workload, &lease),
            ConductorError::Waiting { .. } => Self::new(ErrorKind::Busy, message)
                .help("`pilotage approvals` shows what waits, and for whom"),
            ConductorError::Unknown(_) => Self::new(ErrorKind::Unknown, message),
            ConductorError::NeedMissing { service: _, needed, environment } => {
                Self::new(ErrorKind::Refused, message)
                    .help(format!("pilotage deploy {needed} VERSION --env {environment}"))
            }
            ConductorError::NotNow(_) => {
                Self::new(ErrorKind::Busy, message).help("`pilotage status` shows what is under way")
            }
            ConductorError::NothingToRestore(_) | ConductorError::Ended(_) | ConductorError::Plan(_) => {
                Self::new(ErrorKind::Refused, message)
            }
            ConductorError::Target(error) => error.into(),
            ConductorError::Record(error) => error.into(),
            _ => Self::new(ErrorKind::Internal, message),
        }
    }
}

impl From<TargetError> for ErrorBody {
    fn from(error: TargetError) -> Self {
        let kind = match error {
            TargetError::Artifact { .. }
            | TargetError::PortInUse { .. }
            | TargetError::Taken { .. }
            | TargetError::CertificateFile { .. }
            | TargetError::Secret { .. }
            | TargetError::Unsupported { .. }
            | TargetError::Refused { .. } => ErrorKind::Refused,
            _ => ErrorKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<RecordError> for ErrorBody {
    fn from(error: RecordError) -> Self {
        let kind = match error {
            RecordError::Unknown(_) => ErrorKind::Unknown,
            _ => ErrorKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<FileError> for ErrorBody {
    fn from(error: FileError) -> Self {
        let help = match &error {
            FileError::NotFound { .. } => Some("`pilotage init` writes one for the project in this folder"),
            FileError::Unreadable { .. } | FileError::Faulty { .. } | FileError::Windows { .. } => None,
        };
        Self { help: help.map(str::to_owned), ..Self::new(ErrorKind::File, error.to_string()) }
    }
}

impl From<LookupError> for ErrorBody {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Malformed(error) => error.into(),
            LookupError::Unknown { kind, name, nearest, known } => {
                let message = format!("unknown {kind} `{}`", name.escape_debug());
                let help = match nearest {
                    Some(nearest) => format!("did you mean `{nearest}`?"),
                    None if known.is_empty() => format!("the file names no {kind}"),
                    None => format!("the file knows: {}", known.join(", ")),
                };
                Self::new(ErrorKind::Unknown, message).help(help)
            }
        }
    }
}

impl From<NameError> for ErrorBody {
    fn from(error: NameError) -> Self {
        Self::new(ErrorKind::Usage, error.to_string())
    }
}

impl From<VersionError> for ErrorBody {
    fn from(error: VersionError) -> Self {
        Self::new(ErrorKind::Usage, error.to_string())
    }
}

impl From<ReadError> for ErrorBody {
    fn from(error: ReadError) -> Self {
        Self::new(ErrorKind::Internal, error.to_string())
    }
}

impl From<TokenError> for ErrorBody {
    fn from(error: TokenError) -> Self {
        let kind = match error {
            TokenError::Life | TokenError::Purpose => ErrorKind::Usage,
            TokenError::Unknown { .. } => ErrorKind::Unknown,
            TokenError::TooMany { .. } => ErrorKind::Refused,
            _ => ErrorKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<BackupError> for ErrorBody {
    fn from(error: BackupError) -> Self {
        let kind = match error {
            BackupError::Exists { .. } => ErrorKind::Usage,
            _ => ErrorKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}
