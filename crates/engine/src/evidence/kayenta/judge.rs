//! All metrics together: a score.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::metric::{Class, Compared, MetricSettings, compare};

/// How metrics are scored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JudgeSettings {
    /// What the groups weigh. Those that are not named share what is left to 100 evenly.
    pub weights: BTreeMap<String, f64>,
    /// A score of this or more passes, from 0 to 100.
    pub pass: f64,
    /// A score of this or more is marginal.
    pub marginal: f64,
    /// A metric with fewer values on a side has no data. Kayenta knows no such guard; see the module.
    pub fewest: usize,
}

impl Default for JudgeSettings {
    fn default() -> Self {
        Self { weights: BTreeMap::new(), pass: 95.0, marginal: 75.0, fewest: 5 }
    }
}

/// What the score means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judged {
    /// Good enough to go on.
    Pass,
    /// Good enough to stay, not to go on.
    Marginal,
    /// Not good enough.
    Fail,
    /// At least half of the metrics have no data. Kayenta calls that a score of 0.
    NoData,
}

/// One metric with what it is.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricJudged {
    /// Its name.
    pub name: String,
    /// What it is, and why.
    pub compared: Compared,
}

/// The score with what it was made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Scored {
    /// From 0 to 100.
    pub score: f64,
    /// What that means.
    pub judged: Judged,
    /// The metrics, in the order given.
    pub metrics: Vec<MetricJudged>,
}

/// Judges metrics, each with the candidate's and the baseline's values.
pub fn judge(settings: &JudgeSettings, metrics: &[(MetricSettings, &[f64], &[f64])]) -> Scored {
    let compared: Vec<(&MetricSettings, Compared)> = metrics
        .iter()
        .map(|(metric, candidate, baseline)| (metric, compare(metric, candidate, baseline, settings.fewest)))
        .collect();
    let (score, judged) = score(settings, &compared);
    let metrics = compared
        .into_iter()
        .map(|(metric, compared)| MetricJudged { name: metric.name.clone(), compared })
        .collect();
    Scored { score, judged, metrics }
}

fn score(settings: &JudgeSettings, compared: &[(&MetricSettings, Compared)]) -> (f64, Judged) {
    let heard: Vec<_> = compared.iter().filter(|(metric, _)| !metric.muted).collect();
    if heard.iter().any(|(_, compared)| compared.critical) {
        return (0.0, Judged::Fail);
    }
    let silent = heard.iter().filter(|(_, compared)| compared.class == Class::NoData).count();
    if 2 * silent >= heard.len() {
        return (0.0, Judged::NoData);
    }
    let mut groups: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for (metric, compared) in heard {
        if compared.bad || compared.class != Class::NoData {
            let (passes, all) = groups.entry(&metric.group).or_default();
            *passes += u32::from(!compared.bad);
            *all += 1;
        }
    }
    let score = weighted(settings, &groups);
    let judged = if score >= settings.pass {
        Judged::Pass
    } else if score >= settings.marginal {
        Judged::Marginal
    } else {
        Judged::Fail
    };
    (score, judged)
}

/// The groups' shares of passes, weighted. Groups that have no data weigh nothing, and the others take their place.
fn weighted(settings: &JudgeSettings, groups: &BTreeMap<&str, (u32, u32)>) -> f64 {
    let named = |group: &str| settings.weights.get(group).copied().filter(|weight| *weight >= 0.0);
    let given: f64 = groups.keys().filter_map(|group| named(group)).sum();
    let others = groups.keys().filter(|group| named(group).is_none()).count();
    #[expect(clippy::cast_precision_loss, reason = "far fewer groups than 2^53")]
    let rest = (100.0 - given).max(0.0) / others.max(1) as f64;
    let weight = |group: &str| named(group).unwrap_or(rest);
    let all: f64 = groups.keys().map(|group| weight(group)).sum();
    if all == 0.0 {
        return 0.0;
    }
    let passed = |(group, (passes, count)): (&&str, &(u32, u32))| {
        weight(group) * f64::from(*passes) / f64::from(*count)
    };
    100.0 * groups.iter().map(passed).sum::<f64>() / all
}
