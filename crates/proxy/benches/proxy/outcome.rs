//! What was measured, and how it is told.

use std::time::Duration;

use crate::figure::{Figure, Goal};
use crate::load::LoadReport;
use crate::machine::ProcessorTime;

/// What was measured in one run.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub report: LoadReport,
    /// By the proxy.
    pub used: ProcessorTime,
    /// Half way through the run.
    pub memory_bytes: u64,
    /// What others used meanwhile, as a share of one processor.
    pub foreign_share: f64,
}

/// What a contender achieved: one sample a round.
#[derive(Debug)]
pub struct Outcome {
    pub name: String,
    pub samples: Vec<Sample>,
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Requests a second.
    Requests,
    /// The 99th percentile of the time to the end of an answer.
    P99,
    /// Processor time a request.
    Processor,
    /// Of that, in the program's own code.
    User,
    /// Memory under load.
    Memory,
}

impl Measure {
    /// How figures call it, and their unit.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Requests => ("requests", "requests/s"),
            Self::P99 => ("p99", "ms"),
            Self::Processor => ("cpu", "us/request"),
            Self::User => ("cpu_user", "us/request"),
            Self::Memory => ("memory", "MB"),
        }
    }

    pub fn of(self, sample: &Sample) -> f64 {
        let per_request = |time: Duration| time.as_secs_f64() * 1e6 / sample.report.requests as f64;
        match self {
            Self::Requests => sample.report.requests_per_second,
            Self::P99 => sample.report.p99.as_secs_f64() * 1e3,
            Self::Processor => per_request(sample.used.total()),
            Self::User => per_request(sample.used.user),
            Self::Memory => sample.memory_bytes as f64 / 1e6,
        }
    }
}

impl Outcome {
    /// The median over the rounds.
    pub fn median(&self, measure: Measure) -> f64 {
        median(self.samples.iter().map(|sample| measure.of(sample)).collect())
    }

    /// A figure without a goal.
    pub fn figure(&self, case: &str, measure: Measure) -> Figure {
        let (name, unit) = measure.words();
        Figure::plain(format!("{case}.{}.{name}", self.name), self.median(measure), unit)
    }

    /// A figure beside the best of the peers.
    pub fn against(&self, case: &str, peers: &[&Self], measure: Measure, goal: Goal) -> Figure {
        let figure = self.figure(case, measure);
        let sign = if measure == Measure::Requests { -1.0 } else { 1.0 };
        let best = peers
            .iter()
            .min_by(|one, other| (sign * one.median(measure)).total_cmp(&(sign * other.median(measure))));
        match best {
            Some(peer) => figure.beside(&peer.name, peer.median(measure)).judged(goal),
            None => figure,
        }
    }
}

/// Every measure of every one of them.
pub fn details(case: &str, outcomes: &[Outcome], measures: &[Measure]) -> Vec<Figure> {
    let each = |outcome: &Outcome| measures.iter().map(|measure| outcome.figure(case, *measure)).collect();
    outcomes.iter().flat_map::<Vec<Figure>, _>(each).collect()
}

/// What others used of the machine during the runs.
pub fn disturbance(case: &str, outcomes: &[Outcome]) -> [Figure; 2] {
    let samples = outcomes.iter().flat_map(|outcome| &outcome.samples);
    let shares: Vec<f64> = samples.map(|sample| sample.foreign_share * 100.0).collect();
    let worst = shares.iter().copied().fold(0.0, f64::max);
    [
        Figure::plain(format!("{case}.foreign"), median(shares), "% of a core"),
        Figure::plain(format!("{case}.foreign.worst"), worst, "% of a core"),
    ]
}

/// The middle one, or the mean of the two in the middle; NaN of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.as_slice() {
        [] => f64::NAN,
        values if values.len() % 2 == 1 => values[middle],
        values => f64::midpoint(values[middle - 1], values[middle]),
    }
}
