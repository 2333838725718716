//! How many times as often the one version fails as the other, with an interval that holds at every look.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::Increment;
use super::special::{bisect, ln_sum_exp, logistic, number, soft_plus};

/// Increments whose ratios of requests differ by less than 1/32 (3 %) are kept together, under the mean of the logarithms
/// of their ratios. The relative risk is off by less than 0.01 % for that, and the state stays small.
const CELLS_PER_UNIT: f64 = 32.0;

/// Logarithms of relative risks beyond this are taken for zero and infinity.
const FARTHEST: f64 = 60.0;

/// An estimate with an interval. Both are multiples: 2 means twice as often.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The most plausible value; `None` if nothing failed, or nothing but the candidate.
    pub estimate: Option<f64>,
    /// It is at least this.
    pub lower: f64,
    /// It is at most this; `None` if it may be any number above.
    pub upper: Option<f64>,
}

/// What increments with about the same ratio of requests have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Cell {
    candidate_failed: u64,
    stable_failed: u64,
    /// ln(candidate's requests / stable version's requests), one for each failure, added up.
    log_ratios: f64,
}

/// The failures of two versions with the ratio of requests under which each of them happened.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(i32, Cell)>", into = "Vec<(i32, Cell)>")]
pub struct RiskRatio {
    cells: BTreeMap<i32, Cell>,
}

impl From<Vec<(i32, Cell)>> for RiskRatio {
    fn from(cells: Vec<(i32, Cell)>) -> Self {
        Self { cells: cells.into_iter().collect() }
    }
}

/// As a list: keys that are numbers cannot be read back where they stand inside of a tagged event.
impl From<RiskRatio> for Vec<(i32, Cell)> {
    fn from(ratio: RiskRatio) -> Self {
        ratio.cells.into_iter().collect()
    }
}

impl RiskRatio {
    /// Takes in requests of both versions; an increment without requests on one side changes nothing.
    pub fn observe(&mut self, increment: &Increment) {
        if !increment.compares() || increment.failed() == 0 {
            return;
        }
        let log_ratio = number(increment.candidate_requests).ln() - number(increment.stable_requests).ln();
        #[expect(clippy::cast_possible_truncation, reason = "logarithms of counts lie between -45 and 45")]
        let cell = self.cells.entry((log_ratio * CELLS_PER_UNIT).floor() as i32).or_default();
        cell.candidate_failed = cell.candidate_failed.saturating_add(increment.candidate_failed);
        cell.stable_failed = cell.stable_failed.saturating_add(increment.stable_failed);
        cell.log_ratios += log_ratio * number(increment.failed());
    }

    /// The relative risk with an interval that holds at every look: the true value, if there is one, is *ever* outside
    /// with probability `alpha` at most.
    ///
    /// The interval is made of all values that a test does not reject. The test against one value is the mean likelihood
    /// ratio over a logistic distribution of ln(relative risk), which for equal shares is the uniform distribution of the
    /// candidate's share in the failures: with it the e-value is that of Lindon and Malek with Dirichlet parameters 1 and
    /// 1. The likelihood is concave in the logarithm, so both ends are found by bisection.
    pub fn interval(&self, alpha: f64) -> Interval {
        let likelihood = Likelihood::new(self.cells.values());
        if likelihood.failed() == 0.0 {
            return Interval { estimate: None, lower: 0.0, upper: None };
        }
        let peak = likelihood.peak();
        let bar = likelihood.log_mean() + alpha.ln();
        let inside = |x: f64| likelihood.at(x) > bar;
        let lower = bisect(-FARTHEST, peak, |x| !inside(x));
        let upper = bisect(peak, FARTHEST, inside);
        Interval {
            estimate: (likelihood.stable > 0.0)
                .then(|| if likelihood.candidate > 0.0 { peak.exp() } else { 0.0 }),
            lower: if inside(-FARTHEST) { 0.0 } else { lower.exp() },
            upper: (!inside(FARTHEST)).then(|| upper.exp()),
        }
    }
}

/// The likelihood of a relative risk, as a function of its logarithm.
struct Likelihood {
    candidate: f64,
    stable: f64,
    /// Failures, and the logarithm of the ratio of requests under which they happened.
    groups: Vec<(f64, f64)>,
}

/// Points at which an integral is taken.
const POINTS: u32 = 120;

/// What lies so far below the peak of a logarithm adds nothing to an integral.
const NEGLIGIBLE: f64 = 40.0;

impl Likelihood {
    fn new<'a>(cells: impl Iterator<Item = &'a Cell>) -> Self {
        let mut likelihood = Self { candidate: 0.0, stable: 0.0, groups: Vec::new() };
        for cell in cells {
            let (candidate, stable) = (number(cell.candidate_failed), number(cell.stable_failed));
            likelihood.candidate += candidate;
            likelihood.stable += stable;
            likelihood.groups.push((candidate + stable, cell.log_ratios / (candidate + stable)));
        }
        likelihood
    }

    fn failed(&self) -> f64 {
        self.candidate + self.stable
    }

    /// The logarithm of the likelihood, but for what does not depend on the relative risk.
    fn at(&self, x: f64) -> f64 {
        let shares: f64 =
            self.groups.iter().map(|(failed, log_ratio)| failed * soft_plus(x + log_ratio)).sum();
        self.candidate * x - shares
    }

    fn slope(&self, x: f64) -> f64 {
        let expected: f64 =
            self.groups.iter().map(|(failed, log_ratio)| failed * logistic(x + log_ratio)).sum();
        self.candidate - expected
    }

    /// Where the likelihood is largest.
    fn peak(&self) -> f64 {
        bisect(-FARTHEST, FARTHEST, |x| self.slope(x) > 0.0)
    }

    /// The logarithm of the likelihood's mean over a logistic distribution.
    ///
    /// The product of both is log-concave, so it is integrated (Simpson's rule) over the one stretch that counts.
    fn log_mean(&self) -> f64 {
        let product = |x: f64| self.at(x) - x.abs() - 2.0 * (-x.abs()).exp().ln_1p();
        let top = bisect(-FARTHEST, FARTHEST, |x| self.slope(x) - (2.0 * logistic(x) - 1.0) > 0.0);
        let floor = product(top) - NEGLIGIBLE;
        let left = bisect(-2.0 * FARTHEST, top, |x| product(x) < floor);
        let right = bisect(top, 2.0 * FARTHEST, |x| product(x) > floor);
        let width = (right - left) / f64::from(POINTS);
        let terms = (0..=POINTS).map(|index| {
            let weight: f64 = match index {
                0 | POINTS => 1.0,
                index if index % 2 == 1 => 4.0,
                _ => 2.0,
            };
            product(left + width * f64::from(index)) + weight.ln()
        });
        ln_sum_exp(terms) + (width / 3.0).ln()
    }
}
