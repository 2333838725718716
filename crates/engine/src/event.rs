//! What is recorded of a deployment. The history of these events is its only state.

use pilotage_spec::{AlertCause, Digest, Identity, Version};
use serde::{Deserialize, Serialize};

use crate::approval::Opinion;
use crate::gate::GateResult;
use crate::judge::{Reading, Verdict};
use crate::plan::{Plan, Step};
use crate::{Action, ActionResult, Direction};

/// One fact about a deployment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "fact")]
pub enum DeploymentEvent {
    /// Somebody asked for it, and this is the plan.
    Started {
        /// What will happen.
        plan: Box<Plan>,
        /// What was typed or called.
        command: String,
        /// What was given with it for the gates to look at.
        #[serde(default, skip_serializing_if = "Asked::is_default")]
        asked: Box<Asked>,
    },
    /// The gates have spoken about the plan with this hash.
    GatesChecked {
        /// The hash of the plan they looked at.
        plan_hash: Digest,
        /// One result for each gate that applies.
        results: Vec<GateResult>,
    },
    /// Somebody has said what they think of the plan.
    Stated {
        /// What they think.
        opinion: Opinion,
        /// Who, as their credential says.
        by: Box<Identity>,
        /// The hash of the plan that they had before them.
        plan_hash: Digest,
        /// Why, in their words.
        reason: Option<String>,
    },
    /// Those who can let it pass were reminded.
    Reminded {
        /// What is still missing, in words.
        missing: Vec<String>,
    },
    /// An effect is about to be tried.
    Intended {
        /// Where in the plan.
        direction: Direction,
        /// The number of the step, from 0.
        step: usize,
        /// Counts the tries of this step, from 1; with `step` and `direction` it makes the effect's key.
        attempt: u32,
        /// The effect.
        action: Action,
    },
    /// An effect was tried.
    Executed {
        /// Where in the plan.
        direction: Direction,
        /// The number of the step, from 0.
        step: usize,
        /// The effect.
        action: Action,
        /// How it ended.
        result: ActionResult,
        /// How long it took, in milliseconds.
        duration_ms: u64,
    },
    /// A step that only looks has come to its end: instances are ready, or a watch is over.
    HealthChecked {
        /// Where in the plan.
        direction: Direction,
        /// The number of the step, from 0.
        step: usize,
        /// The version that was looked at.
        version: Version,
        /// What the judge says.
        verdict: Verdict,
        /// What it says it from; `None` for readiness.
        reading: Option<Box<Reading>>,
    },
    /// A person, or a machine on their behalf, asked for something.
    Requested {
        /// What was asked for.
        request: Request,
        /// Why, in their words.
        reason: Option<String>,
    },
    /// An alert from outside says that the new version is bad.
    Alerted {
        /// The alert.
        alert: Box<AlertCause>,
    },
    /// The control plane came back and goes on with the deployment; a watch begins anew, since what was measured before
    /// is not known any more.
    Adopted,
    /// The clock on the wall was set meanwhile: what began before began so much later by it.
    ClockStepped {
        /// By how many microseconds, below zero if it was set back.
        by_micros: i64,
    },
    /// From here on, back.
    RollbackStarted {
        /// What caused it.
        cause: Cause,
        /// The way back from this very point.
        steps: Vec<Step>,
    },
    /// It is over.
    Completed {
        /// How.
        outcome: Outcome,
        /// Why, in words, unless it simply succeeded.
        reason: Option<String>,
    },
}

impl DeploymentEvent {
    /// The kind under which the event stands in the journal.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Started { .. } => "deployment.started",
            Self::GatesChecked { .. } => "deployment.approval_checked",
            Self::Stated { opinion: Opinion::Approve, .. } => "deployment.approved",
            Self::Stated { opinion: Opinion::Reject, .. } => "deployment.rejected",
            Self::Stated { opinion: Opinion::Withdraw, .. } => "deployment.approval_withdrawn",
            Self::Reminded { .. } => "deployment.reminded",
            Self::Intended { .. } => "deployment.intended",
            Self::Executed { .. } => "deployment.executed",
            Self::HealthChecked { .. } => "deployment.health_check",
            Self::Requested { .. } => "deployment.requested",
            Self::Alerted { .. } => "deployment.alerted",
            Self::Adopted => "deployment.adopted",
            Self::RollbackStarted { cause: Cause::Concluded { .. }, .. } => "deployment.conclusion",
            Self::ClockStepped { .. } => "deployment.clock_stepped",
            Self::RollbackStarted { .. } => "deployment.rollback",
            Self::Completed { .. } => "deployment.completed",
        }
    }
}

/// What was given with a request for a deployment, for the gates to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Who asked, as their credential says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Identity>,
    /// The environment's name as they typed it for confirmation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<String>,
    /// The name of the change ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Why gates are to be gone past, if it is an emergency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub emergency: Option<String>,
}

impl Asked {
    #[expect(clippy::borrowed_box, reason = "serde hands a reference to the field")]
    fn is_default(asked: &Box<Self>) -> bool {
        **asked == Self::default()
    }
}

/// What may be asked of a deployment that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// End the watch or the hold that runs now.
    Promote,
    /// Skip every watch and hold but the soak.
    PromoteFully,
    /// Take it back.
    Abort,
    /// Take no further step forward; the judge goes on looking.
    Pause,
    /// Go on.
    Resume,
}

/// What caused a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "cause")]
pub enum Cause {
    /// The judge found the new version bad.
    Verdict {
        /// Its findings, in words.
        reason: String,
    },
    /// Somebody asked.
    Asked {
        /// Their reason, if they gave one.
        reason: Option<String>,
    },
    /// An alert from outside.
    Alert {
        /// The alert.
        alert: Box<AlertCause>,
    },
    /// A step could not be done.
    StepFailed {
        /// Why, in words.
        reason: String,
    },
    /// Nothing went wrong: it was a trial, and it is over.
    Concluded {
        /// What it showed, in words.
        reason: String,
    },
}

impl Cause {
    /// Whether a trial ended as planned, and nothing is taken back.
    pub fn is_planned(&self) -> bool {
        matches!(self, Self::Concluded { .. })
    }

    /// The cause in words.
    pub fn words(&self) -> String {
        match self {
            Self::Verdict { reason }
            | Self::StepFailed { reason }
            | Self::Concluded { reason }
            | Self::Asked { reason: Some(reason) } => reason.clone(),
            Self::Asked { reason: None } => "somebody asked for it".to_owned(),
            Self::Alert { alert } => alert.words(),
        }
    }
}

/// How a deployment ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The new version serves everybody and has soaked.
    Succeeded,
    /// The new version had traffic and was taken back.
    RolledBack,
    /// It ended before the new version had any traffic, or the way back could not be finished.
    Failed,
    /// A gate refused it; nothing was done.
    Refused,
    /// A trial has ended as planned; the stable version serves everybody.
    Concluded,
}
