//! How many looks are judged in a second, on one core.

use std::hint::black_box;
use std::time::Instant;

use crate::false_alarms::{observe, test};
use crate::figure::{Goal, print};
use crate::traffic::{increment, versions};
use pilotage_engine::simulate::Random;

const ROUNDS: usize = 5;

pub fn run(quick: bool) {
    let looks = if quick { 200_000 } else { 1_000_000 };
    let mut draws = Random::new(1);
    let versions = versions(1_000.0, 0.1, 0.005, 1.0);
    let increments: Vec<_> = (0..looks)
        .map(|_| versions.map(|version| version.seen(1.0, 1.0, &mut draws)))
        .map(|[candidate, stable]| {
            increment((candidate.requests, candidate.failed), (stable.requests, stable.failed))
        })
        .collect();
    let mut rates: Vec<f64> = (0..ROUNDS).map(|_| rate(&increments)).collect();
    rates.sort_by(f64::total_cmp);
    print("events_per_second", rates[ROUNDS / 2], "events/s", &Goal::AtLeast(1e6));
}

#[expect(clippy::disallowed_methods, reason = "a bench reads the clock; the crate it measures does not")]
fn rate(increments: &[pilotage_engine::evidence::Increment]) -> f64 {
    let mut test = test();
    let start = Instant::now();
    for increment in increments {
        observe(&mut test, increment);
        black_box(test.is_worse());
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let events = increments.len() as f64;
    events / start.elapsed().as_secs_f64()
}
