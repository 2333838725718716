//! What a live `Canary` says of itself.

use serde_json::Value;

use super::super::scene::{items, text};

/// The annotation of a Canary whose analyses are skipped because a promotion was ordered.
pub(super) const PROMOTED: &str = "pilotage.dev/promoted";

/// How a Canary is, in Flagger's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CanaryPhase {
    /// Flagger has not made the stable copy yet.
    Initializing,
    /// The stable copy runs; nothing is on its way.
    Initialized,
    /// It waits for a gate before it begins.
    Waiting,
    /// The new version gets a growing share.
    Progressing,
    /// It waits for a gate before the end.
    WaitingPromotion,
    /// The new version becomes the stable copy.
    Promoting,
    /// The traffic is with the stable copy again; the other is stopped.
    Finalising,
    /// The new version is the stable one.
    Succeeded,
    /// It was taken back.
    Failed,
    /// It is being deleted.
    Terminating,
    /// Nobody has said.
    Unknown,
}

impl CanaryPhase {
    fn of(text: &str) -> Self {
        match text {
            "Initializing" => Self::Initializing,
            "Initialized" => Self::Initialized,
            "Waiting" => Self::Waiting,
            "Progressing" => Self::Progressing,
            "WaitingPromotion" => Self::WaitingPromotion,
            "Promoting" => Self::Promoting,
            "Finalising" => Self::Finalising,
            "Succeeded" => Self::Succeeded,
            "Failed" => Self::Failed,
            "Terminating" | "Terminated" => Self::Terminating,
            _ => Self::Unknown,
        }
    }

    /// Flagger's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initializing => "Initializing",
            Self::Initialized => "Initialized",
            Self::Waiting => "Waiting",
            Self::Progressing => "Progressing",
            Self::WaitingPromotion => "WaitingPromotion",
            Self::Promoting => "Promoting",
            Self::Finalising => "Finalising",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::Unknown => "Unknown",
        }
    }

    /// Whether a release is on its way.
    pub fn is_moving(self) -> bool {
        matches!(
            self,
            Self::Waiting | Self::Progressing | Self::WaitingPromotion | Self::Promoting | Self::Finalising
        )
    }
}

/// A Canary as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryState {
    /// How it is.
    pub phase: CanaryPhase,
    /// Why, in the controller's words.
    pub message: String,
    /// The share of the new version in percent.
    pub weight: u32,
    /// Checks that have failed since the release began.
    pub failed_checks: u32,
    /// How many may fail.
    pub threshold: u32,
    /// How often it has looked without moving the traffic.
    pub iterations: u32,
    /// Somebody has suspended it.
    pub suspended: bool,
    /// Analyses are skipped: the next release, or this one, is promoted as it is.
    pub skips_analysis: bool,
    /// They are skipped because a promotion was ordered, and not by the team's own settings.
    pub skips_by_order: bool,
}

impl CanaryState {
    /// Reads a Canary.
    pub fn of(canary: &Value) -> Self {
        let number = |pointer: &str| {
            let number = canary.pointer(pointer).and_then(Value::as_u64).unwrap_or_default();
            u32::try_from(number).unwrap_or(u32::MAX)
        };
        let flag = |pointer: &str| canary.pointer(pointer).and_then(Value::as_bool).unwrap_or_default();
        let promoted = items(canary, "/status/conditions")
            .iter()
            .find(|condition| text(condition, "/type") == Some("Promoted"));
        Self {
            phase: text(canary, "/status/phase").map_or(CanaryPhase::Unknown, CanaryPhase::of),
            message: promoted
                .and_then(|condition| text(condition, "/message"))
                .unwrap_or_default()
                .to_owned(),
            weight: number("/status/canaryWeight").min(100),
            failed_checks: number("/status/failedChecks"),
            threshold: number("/spec/analysis/threshold"),
            iterations: number("/status/iterations"),
            suspended: flag("/spec/suspend"),
            skips_analysis: flag("/spec/skipAnalysis"),
            skips_by_order: flag("/spec/skipAnalysis")
                && canary.pointer("/metadata/annotations").is_some_and(|all| all.get(PROMOTED).is_some()),
        }
    }
}
