//! What a schedule can see at all, and what it costs until a rollback.

use super::outlook::Prediction;
use super::schedule::{PredictionError, Traffic, Watch};
use crate::evidence::error_test::ErrorSettings;
use crate::evidence::special::number;

/// Halvings of the range in which the answer lies: it is then known to 0.3 % at least.
const HALVINGS: u32 = 12;

/// The smallest relative risk that is found with this probability before the end of the last watch; `None` if not even a candidate
/// that fails every request is.
///
/// # Errors
/// A number that is out of its range.
pub fn smallest_detectable(
    settings: &ErrorSettings,
    traffic: &Traffic,
    watches: &[Watch],
    power: f64,
) -> Result<Option<f64>, PredictionError> {
    if !(power > 0.0 && power < 1.0) {
        return Err(PredictionError::Power(power));
    }
    let found = |logarithm: f64| {
        Prediction::of(settings, traffic, watches, logarithm.exp())
            .map(|prediction| prediction.worse() >= power)
    };
    let mut low = settings.tolerated.ln();
    let mut high = -traffic.failed_share.ln();
    // Also where the traffic is out of its range: the answer is then its error.
    if !found(high.max(low))? {
        return Ok(None);
    }
    for _ in 0..HALVINGS {
        let middle = low.midpoint(high);
        if found(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(Some(high.exp()))
}

/// About how many requests fail on a candidate before it is taken back, whatever the traffic: `b λ / (λ ln λ − λ + 1)` with
/// `b = ln(hypotheses / α)`, for a small share of the requests and one request failing at a time. `None` if it is no
/// worse than tolerated.
pub fn failed_before_rollback(settings: &ErrorSettings, relative_risk: f64) -> Option<f64> {
    let risk = relative_risk / settings.tolerated;
    let bar = settings.log_bar() + number(settings.worse().len() as u64).ln();
    (risk > 1.0).then(|| bar * risk / (risk * risk.ln() - risk + 1.0))
}
