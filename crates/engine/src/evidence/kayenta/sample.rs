//! What is done to a metric's values before they are compared.

use serde::{Deserialize, Serialize};

/// What becomes of a point in time without a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// It is left out.
    #[default]
    Remove,
    /// It is zero, as for errors that were not reported because there were none.
    Zero,
}

impl Missing {
    /// The values to compare. What is not a number or infinite is missing.
    pub(super) fn treat(self, values: &[f64]) -> Vec<f64> {
        let finite = |value: &f64| match (value.is_finite(), self) {
            (true, _) => Some(*value),
            (false, Self::Zero) => Some(0.0),
            (false, Self::Remove) => None,
        };
        values.iter().filter_map(finite).collect()
    }
}

/// Leaves out values that lie further outside the quartiles than `factor` times their distance, but none between the 1st
/// and the 99th percentile.
pub(super) fn without_outliers(mut values: Vec<f64>, factor: f64) -> Vec<f64> {
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let [p1, q1, q3, p99] = [0.01, 0.25, 0.75, 0.99].map(|share| quantile(&sorted, share));
    let reach = factor * (q3 - q1);
    let (low, high) = (p1.min(q1 - reach), p99.max(q3 + reach));
    values.retain(|value| (low..=high).contains(value));
    values
}

/// A quantile of sorted values, by linear interpolation (Hyndman and Fan 1996, definition 7); 0 if there are none.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places in a sample that is far smaller than 2^53"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = sorted.len().saturating_sub(1) as f64 * share;
    let at = |index: usize| sorted.get(index).or(sorted.last()).copied().unwrap_or(0.0);
    let below = at(place.floor() as usize);
    below + (at(place.floor() as usize + 1) - below) * place.fract()
}

/// The mean; `None` of nothing.
#[expect(clippy::cast_precision_loss, reason = "samples are far smaller than 2^53")]
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_are_left_out_or_zero() {
        let values = [1.0, f64::NAN, f64::INFINITY];
        assert_eq!(Missing::Remove.treat(&values), [1.0]);
        assert_eq!(Missing::Zero.treat(&values), [1.0, 0.0, 0.0]);
    }

    /// `python3 -c 'import numpy as np; print(np.percentile([1, 2, 4, 8, 16], [1, 25, 75, 99, 90]))'`
    #[test]
    fn quantiles_agree_with_numpy() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 16.0];
        let ours = [0.01, 0.25, 0.75, 0.99, 0.9].map(|share| quantile(&sorted, share));
        for (ours, theirs) in ours.into_iter().zip([1.04, 2.0, 8.0, 15.68, 12.8]) {
            assert!((ours - theirs).abs() < 1e-12, "{ours} is not {theirs}");
        }
        assert_eq!(quantile(&[], 0.5), 0.0);
    }

    #[test]
    fn only_what_is_far_out_is_left_out() {
        let mut values: Vec<f64> = (0..200).map(f64::from).collect();
        values.push(1e6);
        assert_eq!(without_outliers(values, 3.0).len(), 200);
        let few = vec![1.0, 1.0, 1.0, 1.0, 9.0];
        assert_eq!(without_outliers(few, 3.0).len(), 4);
    }
}
