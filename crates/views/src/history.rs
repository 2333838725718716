//! One line for each deployment there ever was.

use pilotage_engine::{DeploymentId, Outcome, Phase, Purpose};
use pilotage_spec::{Timestamp, Version};
use serde::{Deserialize, Serialize};

use crate::DeploymentRecord;
use crate::time::as_rfc3339;

/// A deployment in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryLine {
    /// Its name.
    pub id: DeploymentId,
    /// Where it went.
    pub environment: String,
    /// What it moved.
    pub service: String,
    /// The version that served before.
    pub from: Option<Version>,
    /// The version it was to bring.
    pub version: Version,
    /// The strategy's name.
    pub strategy: String,
    /// Why it was made.
    pub purpose: Purpose,
    /// Where it stands.
    pub phase: Phase,
    /// How it ended, if it has.
    pub outcome: Option<Outcome>,
    /// Why, unless it simply succeeded.
    pub reason: Option<String>,
    /// Who asked for it.
    pub started_by: String,
    /// When.
    #[serde(with = "as_rfc3339")]
    pub started_at: Timestamp,
    /// How long it took from the request to its end, in seconds.
    pub duration_seconds: Option<f64>,
}

/// A deployment in one line.
pub fn history_line(record: &DeploymentRecord) -> HistoryLine {
    let deployment = &record.deployment;
    let request = &deployment.plan.request;
    let (outcome, reason, ended_at) = match &deployment.end {
        Some((outcome, reason, at)) => (Some(*outcome), reason.clone(), Some(*at)),
        None => (None, None, None),
    };
    HistoryLine {
        id: record.id,
        environment: request.workload.environment.to_string(),
        service: request.workload.service.to_string(),
        from: deployment.plan.stable().cloned(),
        version: deployment.plan.candidate().clone(),
        strategy: request.strategy_name.to_string(),
        purpose: request.purpose,
        phase: deployment.phase(),
        outcome,
        reason,
        started_by: record.author().to_owned(),
        started_at: deployment.started_at,
        duration_seconds: ended_at.map(|at| at.since(deployment.started_at).as_secs_f64()),
    }
}
