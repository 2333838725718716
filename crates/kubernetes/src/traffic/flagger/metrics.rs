//! The metrics of a strategy in Flagger's words.

use pilotage_spec::{MetricLimit, Prometheus};
use serde_json::{Value, json};

use super::super::handed_over::Asked;
use super::super::refusal::Refusal;
use super::super::scene::Scene;

/// The span that built-in parts of queries look back; ours bring their own.
const INTERVAL: &str = "1m";

/// A template for each metric.
pub(super) fn templates(
    scene: &Scene,
    asked: &[Asked<'_>],
    prometheus: Option<&Prometheus>,
) -> Result<Vec<Value>, Refusal> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let Some(prometheus) = prometheus else {
        return Err(Refusal::new(
            "metrics by query for Flagger, without a Prometheus",
            "name one under `prometheus` of the environment",
        ));
    };
    if prometheus.token.is_some() {
        return Err(Refusal::new(
            "a Prometheus with a token for Flagger, which would have to know it",
            "name an address that the cluster may ask without one, or write the MetricTemplates yourself",
        ));
    }
    if let Some(templated) = asked.iter().find(|asked| asked.query.contains("{{")) {
        return Err(Refusal::new(
            format!("`{{{{` in the query of metric `{}`, which Flagger would fill in", templated.metric.name),
            "put a blank between the braces",
        ));
    }
    Ok(asked.iter().map(|asked| template(scene, asked, &prometheus.url)).collect())
}

fn template(scene: &Scene, asked: &Asked<'_>, address: &str) -> Value {
    json!({
        "apiVersion": "flagger.app/v1beta1",
        "kind": "MetricTemplate",
        "metadata": scene.metadata(&name(scene, asked)),
        "spec": { "provider": { "type": "prometheus", "address": address }, "query": asked.query },
    })
}

/// The metric's name as part of an object's.
fn name(scene: &Scene, asked: &Asked<'_>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let metric: String = asked.metric.name.chars().map(plain).collect();
    scene.names.beside(&format!(
        "{}-{}",
        metric.trim_matches('-'),
        crate::names::short_digest(&asked.metric.name)
    ))
}

/// A metric's check. The bounds themselves are good on both sides; a check without data fails, as all of Flagger's do.
pub(super) fn check(scene: &Scene, asked: &Asked<'_>) -> Value {
    let range = match asked.metric.limit {
        MetricLimit::Above(limit) => json!({ "max": limit }),
        MetricLimit::Below(limit) => json!({ "min": limit }),
        MetricLimit::Outside { below, above } => json!({ "min": below, "max": above }),
    };
    json!({
        "name": asked.metric.name,
        "interval": INTERVAL,
        "templateRef": { "name": name(scene, asked) },
        "thresholdRange": range,
    })
}
