//! One metric of two versions: high, low, or neither.

use serde::{Deserialize, Serialize};

use super::mann_whitney::MannWhitney;
use super::sample::{Missing, mean, without_outliers};

/// How certain the shift must be. Fixed in Kayenta.
const CONFIDENCE: f64 = 0.98;

/// By how much of the shift the interval must stay clear of none. Fixed in Kayenta.
const TOLERANCE: f64 = 0.25;

/// Which change is bad.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A higher value, as of errors.
    Increase,
    /// A lower value, as of orders.
    Decrease,
    /// Any change.
    #[default]
    Either,
}

/// How the size of a difference is measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// The candidate's mean as a multiple of the baseline's; unknown if either is zero, and then every size is large.
    #[default]
    MeanRatio,
    /// The common language effect size: how probable it is that a value of the candidate is the larger one.
    CommonLanguage,
}

/// Effects that are too small to matter: any between `decrease` and `increase`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Allowed {
    /// An effect of this or more is large.
    pub increase: f64,
    /// An effect of this or less is large.
    pub decrease: f64,
}

impl Allowed {
    /// Every effect is large: Kayenta's default for that measure.
    pub const fn nothing(effect: Effect) -> Self {
        let neutral = match effect {
            Effect::MeanRatio => 1.0,
            Effect::CommonLanguage => 0.5,
        };
        Self { increase: neutral, decrease: neutral }
    }
}

/// How a metric is judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSettings {
    /// Its name.
    pub name: String,
    /// The group whose weight it shares.
    pub group: String,
    /// Which change is bad.
    pub direction: Direction,
    /// What becomes of missing values.
    pub missing: Missing,
    /// Leave outliers out that are so many interquartile distances away; Kayenta takes 3.
    pub outlier_factor: Option<f64>,
    /// How the size of a difference is measured.
    pub effect: Effect,
    /// Effects that are too small to matter.
    pub allowed: Allowed,
    /// If it is bad, all is bad.
    pub critical: bool,
    /// It is bad enough for that only with such an effect.
    pub critical_effect: Option<Allowed>,
    /// Having no data is bad.
    pub must_have_data: bool,
    /// It is reported and not scored.
    pub muted: bool,
}

impl MetricSettings {
    /// A metric with Kayenta's defaults.
    pub fn new(name: &str, group: &str) -> Self {
        Self {
            name: name.to_owned(),
            group: group.to_owned(),
            direction: Direction::default(),
            missing: Missing::default(),
            outlier_factor: None,
            effect: Effect::default(),
            allowed: Allowed::nothing(Effect::default()),
            critical: false,
            critical_effect: None,
            must_have_data: false,
            muted: false,
        }
    }

    /// Whether this class is bad.
    fn is_bad(&self, class: Class) -> bool {
        match class {
            Class::Pass => false,
            Class::High => self.direction != Direction::Decrease,
            Class::Low => self.direction != Direction::Increase,
            Class::NoData => self.must_have_data,
        }
    }
}

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// No difference that is both certain and large, or one in the good direction.
    Pass,
    /// Higher than the baseline.
    High,
    /// Lower than the baseline.
    Low,
    /// There are too few values.
    NoData,
}

/// A metric compared, with the evidence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// What it is.
    pub class: Class,
    /// It counts as bad.
    pub bad: bool,
    /// It is bad enough to make all bad.
    pub critical: bool,
    /// The size of the difference, if it is known.
    pub effect: Option<f64>,
    /// The test, if there was something to test.
    pub test: Option<MannWhitney>,
    /// How many values of the candidate and of the baseline were compared.
    pub points: (usize, usize),
}

/// Compares one metric's values. Fewer than `fewest` values on a side are no data.
pub(super) fn compare(
    settings: &MetricSettings,
    candidate: &[f64],
    baseline: &[f64],
    fewest: usize,
) -> Compared {
    let [candidate, baseline] = [candidate, baseline].map(|values| {
        let values = settings.missing.treat(values);
        match settings.outlier_factor {
            Some(factor) => without_outliers(values, factor),
            None => values,
        }
    });
    let points = (candidate.len(), baseline.len());
    let enough = candidate.len().min(baseline.len()) >= fewest.max(1);
    let test = enough.then(|| MannWhitney::compare(&candidate, &baseline, CONFIDENCE)).flatten();
    let effect = test.and_then(|test| match settings.effect {
        Effect::MeanRatio => mean_ratio(&candidate, &baseline),
        #[expect(clippy::cast_precision_loss, reason = "samples are far smaller than 2^53")]
        Effect::CommonLanguage => Some(test.u / (points.0 as f64 * points.1 as f64)),
    });
    let found = test.map_or(Class::NoData, |test| found(&test, effect, &settings.allowed));
    let bad = settings.is_bad(found);
    let class = if bad || found == Class::NoData { found } else { Class::Pass };
    let grave = match (settings.critical_effect, test) {
        (Some(needed), Some(test)) => self::found(&test, effect, &needed) == class,
        _ => true,
    };
    Compared { class, bad, critical: settings.critical && bad && grave, effect, test, points }
}

fn mean_ratio(candidate: &[f64], baseline: &[f64]) -> Option<f64> {
    let (ours, theirs) = (mean(candidate)?, mean(baseline)?);
    (ours != 0.0 && theirs != 0.0).then_some(ours / theirs)
}

/// Kayenta's rule. Two constants that differ need none of its noise here: all shifts but their difference are ruled out.
fn found(test: &MannWhitney, effect: Option<f64>, allowed: &Allowed) -> Class {
    let clear = TOLERANCE * test.shift.abs();
    if test.interval.0 > clear && effect.is_none_or(|effect| effect >= allowed.increase) {
        Class::High
    } else if test.interval.1 < -clear && effect.is_none_or(|effect| effect <= allowed.decrease) {
        Class::Low
    } else {
        Class::Pass
    }
}
