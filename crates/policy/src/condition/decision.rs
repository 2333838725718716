//! What a condition says of a deployment.

use serde::{Deserialize, Serialize};

/// The outcome of a condition. Everything but [`Decision::Allow`] is a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
pub enum Decision {
    /// It is true.
    Allow,
    /// It is false.
    Deny {
        /// Which part is false, as it is written.
        reason: String,
    },
    /// It has no value: something is missing, of another type, or too much.
    Error {
        /// What went wrong.
        reason: String,
    },
}

impl Decision {
    /// Whether the deployment may pass.
    pub fn allows(&self) -> bool {
        *self == Self::Allow
    }

    /// The word for it in tables of cases.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny { .. } => "deny",
            Self::Error { .. } => "error",
        }
    }

    /// Why it is a refusal, if it is one.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Allow => None,
            Self::Deny { reason } | Self::Error { reason } => Some(reason),
        }
    }
}
