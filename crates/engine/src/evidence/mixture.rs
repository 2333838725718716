//! Evidence against one relative risk, for several others: the engine of the error test.

use serde::{Deserialize, Serialize};

use super::counts::Increment;
use super::special::{ln_sum_exp, number};

/// A mixture of likelihood ratios: alternatives beside one null hypothesis, all about the relative risk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Mixture {
    /// The relative risk spoken against.
    null: f64,
    /// The relative risks spoken for, all on one side of it, with equal weights.
    alternatives: Vec<f64>,
    /// The logarithm of each alternative's likelihood ratio.
    log_ratios: Vec<f64>,
    /// The logarithm of the e-value, and the largest one at any look.
    log_e: f64,
    peak: f64,
}

impl Mixture {
    /// All numbers are finite and above zero, and there is at least one alternative.
    pub(super) fn new(null: f64, alternatives: Vec<f64>) -> Self {
        let log_ratios = vec![0.0; alternatives.len()];
        Self { null, alternatives, log_ratios, log_e: 0.0, peak: 0.0 }
    }

    /// Takes in requests of both versions; there are some of either.
    pub(super) fn observe(&mut self, increment: &Increment) {
        if increment.failed() == 0 {
            return;
        }
        let [candidate, stable] = [increment.candidate_failed, increment.stable_failed].map(number);
        for (alternative, log_ratio) in self.alternatives.iter().zip(&mut self.log_ratios) {
            let (up, down) = steps(
                self.null,
                *alternative,
                number(increment.candidate_requests),
                number(increment.stable_requests),
            );
            *log_ratio += candidate * up + stable * down;
        }
        self.log_e =
            ln_sum_exp(self.log_ratios.iter().copied()) - number(self.alternatives.len() as u64).ln();
        self.peak = self.peak.max(self.log_e);
    }

    /// The logarithm of the e-value.
    pub(super) const fn log_e(&self) -> f64 {
        self.log_e
    }

    /// The largest logarithm of the e-value at any look.
    pub(super) const fn peak(&self) -> f64 {
        self.peak
    }
}

/// What one failure of the candidate and one of the stable version add to the logarithm of a likelihood ratio.
///
/// A failure is the candidate's with odds of the relative risk times its requests to those of the stable version. Written
/// so that the first has the sign of `alternative − null` and the second the other one, whatever is rounded.
pub(super) fn steps(null: f64, alternative: f64, candidate: f64, stable: f64) -> (f64, f64) {
    let difference = alternative - null;
    let up = (difference * stable / (null * (alternative * candidate + stable))).ln_1p();
    let down = -(difference * candidate / (null * candidate + stable)).ln_1p();
    (up, down)
}
