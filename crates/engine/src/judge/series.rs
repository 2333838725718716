//! The edge's own figures at points in time, for Kayenta's judge.

use pilotage_spec::Kayenta;
use serde::{Deserialize, Serialize};

use super::look::{Look, Side};
use crate::evidence::kayenta::{self, Direction, JudgeSettings, MetricSettings, Scored};

/// Points in time, each the figures of one interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    settings: Kayenta,
    /// The interval that is not over yet.
    open: Interval,
    points: Vec<Point>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Interval {
    micros: u64,
    sides: [Side; 2],
}

/// The candidate's figure and the stable version's; `None` where there was no request.
type Pair = [Option<f64>; 2];

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Point {
    failed_share: Pair,
    p50: Pair,
    p99: Pair,
}

/// Points that are remembered at most: a day of minutes.
const MOST_POINTS: usize = 1_440;

impl Series {
    pub(super) fn new(settings: &Kayenta) -> Self {
        Self { settings: settings.clone(), open: Interval::default(), points: Vec::new() }
    }

    pub(super) fn look(&mut self, look: &Look) {
        let [candidate, stable] = &mut self.open.sides;
        candidate.add(&look.candidate);
        stable.add(&look.stable);
        self.open.micros = self.open.micros.saturating_add(look.micros);
        if u128::from(self.open.micros) < self.settings.every.as_micros() {
            return;
        }
        let Interval { sides, .. } = std::mem::take(&mut self.open);
        let pair = |of: fn(&Side) -> Option<f64>| [of(&sides[0]), of(&sides[1])];
        if self.points.len() < MOST_POINTS {
            self.points.push(Point {
                failed_share: pair(Side::failed_share),
                p50: pair(|sum| sum.quantile(500).map(number)),
                p99: pair(|sum| sum.quantile(990).map(number)),
            });
        }
    }

    /// Kayenta's word on the points so far.
    pub fn judge(&self) -> Scored {
        let metric = |name: &str, group: &str, of: fn(&Point) -> Pair| {
            let settings =
                MetricSettings { direction: Direction::Increase, ..MetricSettings::new(name, group) };
            let values = |side: usize| -> Vec<f64> {
                self.points.iter().map(|point| of(point)[side].unwrap_or(f64::NAN)).collect()
            };
            (settings, values(0), values(1))
        };
        let metrics = [
            metric("failed share", "errors", |point| point.failed_share),
            metric("p50", "latency", |point| point.p50),
            metric("p99", "latency", |point| point.p99),
        ];
        let known = |values: &[f64]| values.iter().any(|value| value.is_finite());
        let given: Vec<(MetricSettings, &[f64], &[f64])> = metrics
            .iter()
            // What was never measured is no metric; one that one version alone lacks is.
            .filter(|(_, candidate, stable)| known(candidate) || known(stable))
            .map(|(settings, candidate, stable)| (settings.clone(), candidate.as_slice(), stable.as_slice()))
            .collect();
        let settings = JudgeSettings {
            pass: f64::from(self.settings.pass),
            marginal: f64::from(self.settings.marginal),
            ..JudgeSettings::default()
        };
        kayenta::judge(&settings, &given)
    }

    /// How many points there are.
    pub fn points(&self) -> usize {
        self.points.len()
    }
}

#[expect(clippy::cast_precision_loss, reason = "microseconds far below 2^52")]
fn number(micros: u64) -> f64 {
    micros as f64
}
