//! The `AnalysisTemplate` of a strategy's queries.

use pilotage_spec::{MetricLimit, Prometheus};
use serde_json::{Value, json};

use super::super::handed_over::Asked;
use super::super::refusal::Refusal;
use super::super::scene::Scene;

/// The time between two measurements.
const EVERY: &str = "30s";
/// So many measurements in a row may fail to be made before the analysis does.
const ERRORS: u32 = 4;

/// What the template is called.
pub(super) fn name(scene: &Scene) -> String {
    scene.names.beside("metrics")
}

/// The template; `None` if there is nothing to measure.
pub(super) fn template(
    scene: &Scene,
    asked: &[Asked<'_>],
    prometheus: Option<&Prometheus>,
) -> Result<Option<Value>, Refusal> {
    if asked.is_empty() {
        return Ok(None);
    }
    let Some(prometheus) = prometheus else {
        return Err(Refusal::new(
            "metrics by query for Argo Rollouts, without a Prometheus",
            "name one under `prometheus` of the environment",
        ));
    };
    if prometheus.token.is_some() {
        return Err(Refusal::new(
            "a Prometheus with a token for Argo Rollouts, which would have to know it",
            "name an address that the cluster may ask without one, or write the AnalysisTemplate yourself",
        ));
    }
    let metrics: Vec<Value> = asked.iter().map(|asked| metric(asked, &prometheus.url)).collect();
    let trial = asked.iter().filter(|asked| asked.metric.dry_run || !asked.metric.critical);
    let trial: Vec<Value> = trial.map(|asked| json!({ "metricName": asked.metric.name })).collect();
    let mut spec = json!({ "metrics": metrics });
    if !trial.is_empty() {
        spec["dryRun"] = json!(trial);
    }
    Ok(Some(json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisTemplate",
        "metadata": scene.metadata(&name(scene)),
        "spec": spec,
    })))
}

/// Without data neither condition holds: then the analysis is inconclusive, and the rollout pauses.
fn metric(asked: &Asked<'_>, address: &str) -> Value {
    let (good, bad) = match asked.metric.limit {
        MetricLimit::Above(limit) => (format!("result[0] <= {limit}"), format!("result[0] > {limit}")),
        MetricLimit::Below(limit) => (format!("result[0] >= {limit}"), format!("result[0] < {limit}")),
        MetricLimit::Outside { below, above } => (
            format!("result[0] >= {below} && result[0] <= {above}"),
            format!("(result[0] < {below} || result[0] > {above})"),
        ),
    };
    json!({
        "name": asked.metric.name,
        "interval": EVERY,
        "successCondition": format!("len(result) > 0 && {good}"),
        "failureCondition": format!("len(result) > 0 && {bad}"),
        "failureLimit": 0,
        "consecutiveErrorLimit": ERRORS,
        "provider": { "prometheus": { "address": address, "query": asked.query } },
    })
}
