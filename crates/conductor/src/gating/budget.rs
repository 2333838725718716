//! How much of the error budget was spent.

use pilotage_engine::Plan;
use pilotage_engine::judge::Known;

use crate::conductor::Inner;
use crate::queries;

/// The share of failed requests over the time of the objective, asked of its source now.
pub(super) async fn failing(inner: &Inner, plan: &Plan) -> Known<f64> {
    let Some(budget) = &plan.request.policy.error_budget else { return Known::NotAsked };
    let source = match queries::source_of(&budget.failing, plan.request.prometheus.as_ref(), &inner.secrets) {
        Ok(source) => source,
        Err(reason) => return Known::Unknown(reason),
    };
    // The budget is the users': what they meet now is the version that serves, if one does.
    let version = plan.stable().unwrap_or_else(|| plan.candidate());
    match source.number(&plan.request.workload, version).await {
        Ok(share) => Known::Value(share),
        Err(reason) => Known::Unknown(reason),
    }
}
