//! What the demo proves.

use std::collections::BTreeMap;

use pilotage_views::AuditLine;
use serde::Serialize;

/// What the demo proves. This is its last object in JSON.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Requests that ended, however they did.
    pub requests: u64,
    /// Those that the service itself failed.
    pub failed_by_service: u64,
    /// Those that were dropped on the way: by us.
    pub dropped: u64,
    /// From the decision to switch to 1.1.0 to the last request that was sent to 1.0.0, in milliseconds.
    pub switch_ms: Option<f64>,
    /// From the verdict on 1.2.0 to the last request that was sent to it, in milliseconds.
    pub rollback_ms: Option<f64>,
    /// Whether the journal is as it was written.
    pub audit_verified: bool,
    /// How long it all took.
    pub duration_seconds: f64,
    /// Why requests were dropped, if any were.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub drop_reasons: BTreeMap<String, u64>,
    /// The audit lines of the release that came back.
    #[serde(skip)]
    pub audit: Vec<AuditLine>,
}

impl Summary {
    /// Nothing was dropped, and nothing was forged.
    pub fn is_as_promised(&self) -> bool {
        self.dropped == 0 && self.audit_verified && self.rollback_ms.is_some() && self.switch_ms.is_some()
    }
}
