//! Alerts from outside: what was received, and what followed.

use std::fmt;

use pilotage_engine::DeploymentId;
use pilotage_journal::{Event, NewEvent};
use pilotage_spec::{AlertCause, Workload};
use serde::{Deserialize, Serialize};

use crate::RecordError;
use crate::workload::{json_event, payload};

/// An alert as it is recorded, in the stream `hook/NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertReceived {
    /// The alert, and by which hook it came.
    #[serde(flatten)]
    pub cause: AlertCause,
    /// What it is about, if the file knows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
    /// What followed from it.
    pub consequence: Consequence,
}

/// What follows from an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "followed")]
pub enum Consequence {
    /// A deployment is taken back because of it.
    TakenBack {
        /// Which.
        deployment: DeploymentId,
    },
    /// A deployment was going back already.
    GoingBack {
        /// Which.
        deployment: DeploymentId,
    },
    /// A deployment is left alone: it goes back to a release that is known to be good, or has not begun to move.
    LeftAlone {
        /// Which.
        deployment: DeploymentId,
    },
    /// The alert is older than the deployment, which therefore cannot be its cause.
    Older {
        /// Which.
        deployment: DeploymentId,
    },
    /// No deployment is under way.
    NothingMoves,
    /// It is not known what it is about.
    Unknown {
        /// Why not.
        reason: String,
    },
    /// The alert is over.
    Resolved,
    /// Its severity is not among those that count.
    NotSevere,
}

impl Consequence {
    /// One word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::TakenBack { .. } => "taken_back",
            Self::GoingBack { .. } => "going_back",
            Self::LeftAlone { .. } => "left_alone",
            Self::Older { .. } => "older",
            Self::NothingMoves => "nothing_moves",
            Self::Unknown { .. } => "unknown",
            Self::Resolved => "resolved",
            Self::NotSevere => "not_severe",
        }
    }
}

impl fmt::Display for Consequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakenBack { deployment } => write!(f, "{deployment} is taken back"),
            Self::GoingBack { deployment } => write!(f, "{deployment} is going back already"),
            Self::LeftAlone { deployment } => write!(f, "{deployment} is left alone"),
            Self::Older { deployment } => write!(f, "it fires since before {deployment} began"),
            Self::NothingMoves => write!(f, "no deployment is under way"),
            Self::Unknown { reason } => write!(f, "nothing: {reason}"),
            Self::Resolved => write!(f, "it is over"),
            Self::NotSevere => write!(f, "nothing: not of a severity that counts"),
        }
    }
}

impl AlertReceived {
    /// The fact as the journal takes it.
    ///
    /// # Errors
    /// Never for facts of this version; the journal checks all kinds alike.
    pub fn new_event(&self) -> Result<NewEvent, RecordError> {
        json_event("alert.received", self)
    }

    /// A fact as it was recorded.
    ///
    /// # Errors
    /// Fails on an event that this version does not know.
    pub fn from_event(event: &Event) -> Result<Self, RecordError> {
        payload(event)
    }
}
