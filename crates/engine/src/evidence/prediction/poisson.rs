//! How many events there are where a mean number is expected.

use crate::evidence::special::{ln_gamma, number};

/// Counts further from the mean than this many standard deviations, and some, do not occur.
const REACH: f64 = 8.0;

/// The probabilities of `0, 1, 2, …` events, as far as they count.
pub(super) fn poisson(mean: f64) -> Vec<f64> {
    let mut probabilities = vec![0.0; farthest(mean) + 1];
    // From the middle outwards, so that no probability begins at zero.
    let middle = whole(mean);
    let at_middle = if mean > 0.0 {
        let count = number(middle as u64);
        (count * mean.ln() - mean - ln_gamma(count + 1.0)).exp()
    } else {
        1.0
    };
    probabilities[middle] = at_middle;
    for count in middle + 1..probabilities.len() {
        probabilities[count] = probabilities[count - 1] * mean / number(count as u64);
    }
    for count in (0..middle).rev() {
        probabilities[count] = probabilities[count + 1] * number(count as u64 + 1) / mean;
    }
    probabilities
}

/// The largest count that occurs.
pub(super) fn farthest(mean: f64) -> usize {
    whole(mean + REACH * mean.sqrt() + 2.0 * REACH)
}

/// The probabilities of at least `0, 1, 2, …` times `chunk` events.
pub(super) fn at_least(mean: f64, chunk: usize) -> Vec<f64> {
    let mut tails = poisson(mean);
    let mut sum = 0.0;
    for probability in tails.iter_mut().rev() {
        sum += *probability;
        *probability = sum;
    }
    tails.into_iter().step_by(chunk).collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts that a vector has room for"
)]
/// The whole part of a count.
pub(super) fn whole(count: f64) -> usize {
    count.max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `python3 -c 'from scipy.stats import poisson as p; print(p.pmf(3, 2.5), p.pmf(1010, 1000), p.sf(4, 2.5))'`
    #[test]
    fn agrees_with_scipy() {
        assert!((poisson(2.5)[3] - 0.213_763_017_249_736_48).abs() < 1e-12);
        assert!((poisson(1_000.0)[1_010] - 0.011_941_828_905_650_683).abs() < 1e-10);
        assert!((at_least(2.5, 5)[1] - 0.108_821_981_085_848_77).abs() < 1e-12);
    }

    #[test]
    fn nothing_happens_where_nothing_is_expected() {
        assert_eq!((poisson(0.0)[0], poisson(0.0)[1]), (1.0, 0.0));
    }
}
