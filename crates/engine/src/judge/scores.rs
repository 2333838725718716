//! Kayenta's score as a finding.

use super::criteria::Seen;
use super::{Reading, Verdict};
use crate::evidence::kayenta::{Class, Judged, MetricJudged};

/// What Kayenta's judge says of the points so far.
pub(super) fn kayenta(reading: &Reading) -> Seen {
    let Some(series) = reading.evidence().and_then(|evidence| evidence.series()) else {
        return (Verdict::Inconclusive, "Kayenta's judge has no points yet".to_owned());
    };
    let scored = series.judge();
    let points = series.points();
    let bad: Vec<String> =
        scored.metrics.iter().filter(|metric| metric.compared.bad).map(described).collect();
    let why = if bad.is_empty() { String::new() } else { format!(": {}", bad.join(", ")) };
    match scored.judged {
        Judged::NoData => {
            (Verdict::Inconclusive, format!("Kayenta's judge has too few points, {points}, to score"))
        }
        judged => {
            let (verdict, word) = match judged {
                Judged::Pass => (Verdict::Pass, "pass"),
                Judged::Marginal => (Verdict::Inconclusive, "marginal"),
                Judged::Fail | Judged::NoData => (Verdict::Fail, "fail"),
            };
            (
                verdict,
                format!("Kayenta's judge scores {:.0} of 100 by {points} points, {word}{why}", scored.score),
            )
        }
    }
}

fn described(metric: &MetricJudged) -> String {
    let class = match metric.compared.class {
        Class::High => "high",
        Class::Low => "low",
        Class::Pass => "as before",
        Class::NoData => "without data",
    };
    format!("{} is {class}", metric.name)
}
