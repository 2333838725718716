//! A strategy that is handed over to a controller which runs rollouts itself: what becomes of its parts.

use pilotage_spec::{Comparison, Metric, MetricSource, Strategy, Version, Workload, substitute, variables};
use serde_json::Value;

use super::refusal::Refusal;

/// The objects of a strategy, and what of it they do not hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HandedOver {
    /// To be applied in this order.
    pub objects: Vec<Value>,
    /// What stays with Pilotage, in words: triggers that the controller has no measure for.
    pub left: Vec<String>,
}

/// A metric that a controller can ask Prometheus for.
pub(super) struct Asked<'a> {
    /// The metric.
    pub(super) metric: &'a Metric,
    /// Its query, with names put in.
    pub(super) query: String,
}

/// The strategy's metrics that are one query to Prometheus with a limit; the others are named in `left`, with all triggers that
/// are no metrics.
///
/// # Errors
/// Fails on a query whose names cannot be put in.
pub(super) fn asked<'a>(
    strategy: &'a Strategy,
    workload: &Workload,
    version: Option<&Version>,
    left: &mut Vec<String>,
) -> Result<Vec<Asked<'a>>, Refusal> {
    let mut asked = Vec::new();
    for metric in &strategy.roll_back_when.metrics {
        match &metric.source {
            MetricSource::Query(query) if metric.compare == Comparison::Value => {
                let query = filled(query, workload, version, &metric.name)?;
                asked.push(Asked { metric, query });
            }
            MetricSource::Query(_) => {
                left.push(format!("metric `{}` (compared with the stable version)", metric.name));
            }
            MetricSource::Json(_) => left.push(format!("metric `{}` (a JSON document)", metric.name)),
        }
    }
    left.extend(triggers(strategy));
    Ok(asked)
}

fn filled(
    query: &str,
    workload: &Workload,
    version: Option<&Version>,
    metric: &str,
) -> Result<String, Refusal> {
    let names_version = variables(query).is_ok_and(|names| names.contains(&"VERSION"));
    if names_version && version.is_none() {
        return Err(Refusal::new(
            format!("`$VERSION` in the query of metric `{metric}`, of objects for every version,"),
            "say which version they are for, or leave it out of the query",
        ));
    }
    let value = |name: &str| match name {
        "SERVICE" => Some(workload.service.to_string()),
        "ENVIRONMENT" => Some(workload.environment.to_string()),
        "VERSION" => version.map(ToString::to_string),
        _ => None,
    };
    substitute(query, value).map_err(|error| {
        Refusal::new(format!("the query of metric `{metric}`: {error}"), "correct it in the strategy")
    })
}

/// The triggers that are on and are no metrics.
fn triggers(strategy: &Strategy) -> Vec<String> {
    let when = &strategy.roll_back_when;
    let on = [
        (when.error_rate.is_some(), "error_rate"),
        (when.errors_vs_stable.is_some(), "errors_vs_stable"),
        (when.p99_vs_stable.is_some(), "p99_vs_stable"),
        (when.p95_vs_stable.is_some(), "p95_vs_stable"),
        (when.probe_failures.is_some(), "probe_failures"),
        (when.cpu.is_some(), "cpu"),
        (when.memory.is_some(), "memory"),
        (when.critical_alerts, "alerts"),
        (when.kayenta.is_some(), "kayenta"),
    ];
    on.into_iter().filter(|(on, _)| *on).map(|(_, name)| format!("trigger `{name}`")).collect()
}

/// A share in whole percents.
///
/// # Errors
/// Fails on a part of a percent.
pub(super) fn whole_percent(share: u32, who: &str) -> Result<u32, Refusal> {
    if share.is_multiple_of(100) {
        return Ok(share / 100);
    }
    Err(Refusal::new(
        format!("a step of {}.{:02} % for {who}, which counts whole percents", share / 100, share % 100),
        "use whole percents in the strategy's steps",
    ))
}

/// A duration as both controllers read it: whole seconds, at least one.
pub(super) fn seconds(duration: std::time::Duration) -> String {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    format!("{}s", whole.max(1))
}
