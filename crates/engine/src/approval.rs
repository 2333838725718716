//! What people say of a plan.

use pilotage_spec::{Digest, Identity, Timestamp};
use serde::{Deserialize, Serialize};

/// What somebody says of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opinion {
    /// It may be carried out.
    Approve,
    /// It must not be carried out: one such word is enough.
    Reject,
    /// What the same person has said before does not count any more.
    Withdraw,
}

/// What somebody has said of a plan, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// The opinion.
    pub opinion: Opinion,
    /// Whose it is, as their credential says.
    pub by: Identity,
    /// The hash of the plan that they had before them.
    pub plan_hash: Digest,
    /// Why, in their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was recorded.
    pub at: Timestamp,
}
