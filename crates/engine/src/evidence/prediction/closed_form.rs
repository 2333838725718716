//! The probability that the e-value reaches its bar, for many failures: Brownian motion with drift.

use super::schedule::Stage;
use crate::evidence::error_test::ErrorSettings;
use crate::evidence::mixture::steps;
use crate::evidence::special::{normal_below, number};

/// The probabilities of both verdicts by the end of the last of some watches. Each e-value is at least each of its parts,
/// so the most probable of these is what counts.
pub(super) fn verdicts(settings: &ErrorSettings, stages: &[Stage]) -> (f64, f64) {
    let most = |null: f64, alternatives: &[f64]| {
        let bar = settings.log_bar() + number(alternatives.len() as u64).ln();
        let reaches = |alternative: &f64| reaches(stages, null, *alternative, bar);
        alternatives.iter().map(reaches).fold(0.0, f64::max)
    };
    let worse = most(settings.tolerated, &settings.worse());
    let good = settings.good().map_or(0.0, |(null, alternatives)| most(null, &alternatives));
    (worse, good)
}

/// By how many standard deviations between two looks a bar is farther away for one who only looks now and then: −ζ(½)/√(2π)
/// (Siegmund, Sequential Analysis, 1985).
const BETWEEN_LOOKS: f64 = 0.5826;

/// The probability that one likelihood ratio reaches the bar: the first passage of a Brownian motion whose drift
/// and variance are added up over the watches (inverse Gaussian distribution).
fn reaches(stages: &[Stage], null: f64, alternative: f64, bar: f64) -> f64 {
    let (mut drift, mut variance, mut unseen) = (0.0, 0.0, 0.0_f64);
    for stage in stages {
        if let Some(ratio) = stage.ratio {
            let (up, down) = steps(null, alternative, ratio, 1.0);
            let each_second = stage.candidate * up * up + stage.stable * down * down;
            drift += stage.seconds * (stage.candidate * up + stage.stable * down);
            variance += stage.seconds * each_second;
            unseen = unseen.max(stage.look_seconds * each_second);
        }
    }
    if variance == 0.0 {
        return 0.0;
    }
    let bar = bar + BETWEEN_LOOKS * unseen.sqrt();
    let deviation = variance.sqrt();
    let behind = normal_below((-drift - bar) / deviation);
    // Where the exponential overflows, the tail beside it has long been zero or the sum is one.
    let reflected = if behind == 0.0 { 0.0 } else { ((2.0 * drift * bar / variance) + behind.ln()).exp() };
    (normal_below((drift - bar) / deviation) + reflected).clamp(0.0, 1.0)
}
