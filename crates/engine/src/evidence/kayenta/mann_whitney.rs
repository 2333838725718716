//! The Mann-Whitney test with ties, the shift between two samples and its confidence interval.

use crate::evidence::special::{bisect, normal_below, normal_quantile};

/// What the test says of two samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MannWhitney {
    /// Pairs in which the first sample's value is the larger one; half of those in which they are equal.
    pub u: f64,
    /// The two-sided p-value by the normal distribution, corrected for ties and for continuity.
    pub p_value: f64,
    /// The shift that makes the samples most alike (Hodges and Lehmann 1963).
    pub shift: f64,
    /// The shifts that the test does not rule out: the lowest and the highest.
    pub interval: (f64, f64),
}

impl MannWhitney {
    /// Compares two samples of finite numbers; `None` if one of them is empty. `confidence` is that of the interval,
    /// strictly between 0 and 1.
    ///
    /// The ends are the shifts at which the standardised statistic passes its quantile, as in R's `wilcox.test`, found
    /// by bisection.
    pub fn compare(first: &[f64], second: &[f64], confidence: f64) -> Option<Self> {
        let (first_low, first_high) = range(first)?;
        let (second_low, second_high) = range(second)?;
        let (lowest, highest) = (first_low - second_high, first_high - second_low);
        let deviations = normal_quantile(0.5 + 0.5 * confidence);
        let turns = |is_left: &dyn Fn(f64) -> bool| {
            if !is_left(lowest) {
                lowest
            } else if is_left(highest) {
                highest
            } else {
                bisect(lowest, highest, is_left)
            }
        };
        let shifted = |shift: f64| ranked(first, second, shift).deviations();
        let unshifted = ranked(first, second, 0.0);
        Some(Self {
            u: unshifted.u,
            p_value: (2.0 * normal_below(-unshifted.deviations().abs())).min(1.0),
            // Between two of the pairs' differences the statistic may be level at its mean.
            shift: turns(&|shift| shifted(shift) > 0.0).midpoint(turns(&|shift| shifted(shift) >= 0.0)),
            interval: (
                turns(&|shift| shifted(shift) > deviations),
                turns(&|shift| shifted(shift) > -deviations),
            ),
        })
    }
}

/// The lowest and the highest of some numbers.
fn range(values: &[f64]) -> Option<(f64, f64)> {
    let first = *values.first()?;
    Some(values.iter().fold((first, first), |(low, high), value| (low.min(*value), high.max(*value))))
}

/// The statistic with what it is under equal samples.
struct Ranked {
    u: f64,
    mean: f64,
    deviation: f64,
}

impl Ranked {
    /// How many standard deviations the statistic lies from its mean, half a pair taken off for continuity.
    fn deviations(&self) -> f64 {
        let beyond = self.u - self.mean;
        if beyond == 0.0 || self.deviation == 0.0 {
            return 0.0;
        }
        (beyond - 0.5 * beyond.signum()) / self.deviation
    }
}

/// Ranks the first sample, less a shift, among the second. Equal values share the mean of their ranks.
#[expect(clippy::cast_precision_loss, reason = "samples are far smaller than 2^53")]
fn ranked(first: &[f64], second: &[f64], shift: f64) -> Ranked {
    let shifted = first.iter().map(|value| (value - shift, true));
    let mut all: Vec<(f64, bool)> = shifted.chain(second.iter().map(|value| (*value, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut rank_sum, mut ties, mut before) = (0.0, 0.0, 0.0);
    // Zero and minus zero are equal, so groups are made by comparing, not by total order.
    for group in all.chunk_by(|a, b| a.0 >= b.0) {
        let size = group.len() as f64;
        let ours = group.iter().filter(|(_, is_first)| *is_first).count() as f64;
        rank_sum += ours * (before + 0.5 * (size + 1.0));
        ties += size * size * size - size;
        before += size;
    }
    let (m, n) = (first.len() as f64, second.len() as f64);
    let tied = if before > 1.0 { ties / (before * (before - 1.0)) } else { 0.0 };
    Ranked {
        u: rank_sum - 0.5 * m * (m + 1.0),
        mean: 0.5 * m * n,
        deviation: (m * n / 12.0 * (before + 1.0 - tied)).max(0.0).sqrt(),
    }
}
