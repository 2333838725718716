//! What was predicted beside what happens.

use pilotage_engine::evidence::prediction::{Prediction, Traffic, Watch, smallest_detectable};
use pilotage_engine::evidence::{ErrorSettings, Gathered, RenewedErrorTest};

use crate::false_alarms::{observe, test};
use crate::figure::{Goal, print};
use crate::traffic::{increment, versions};
use pilotage_engine::simulate::Random;

const FAILED_SHARE: f64 = 0.001;
const LOOK_SECONDS: f64 = 5.0;
const LOOKS: u32 = 60;

/// In points of probability.
const GOAL: f64 = 5.0;

pub fn run(quick: bool) {
    let rollouts = if quick { 1_500 } else { 4_000 };
    let mut worst: f64 = 0.0;
    for requests_per_second in [20.0, 100.0, 1_000.0, 10_000.0] {
        for shares in [&[0.01][..], &[0.1], &[0.5], &[0.01, 0.1, 0.5]] {
            for power in [0.05, 0.5, 0.8, 0.95] {
                if let Some((risk, predicted)) = predict(requests_per_second, shares, power) {
                    let simulated = simulate(requests_per_second, shares, risk, rollouts);
                    let points = 100.0 * (predicted - simulated).abs();
                    worst = worst.max(points);
                    let steps: Vec<String> =
                        shares.iter().map(|share| format!("{}%", share * 100.0)).collect();
                    let name = format!("predicted.{requests_per_second}rps.{}.{risk:.2}x", steps.join("+"));
                    eprintln!(
                        "{name}: {:.1} % predicted, {:.1} % simulated",
                        100.0 * predicted,
                        100.0 * simulated
                    );
                    if power > 0.5 {
                        print(&name, points, "points", &Goal::AtMost(GOAL));
                    }
                }
            }
        }
    }
    print("predicted.worst", worst, "points", &Goal::AtMost(GOAL));
}

/// The relative risk that is found with this probability, and what exactly that is.
fn predict(requests_per_second: f64, shares: &[f64], power: f64) -> Option<(f64, f64)> {
    let settings = RenewedErrorTest::first(ErrorSettings::default());
    let traffic = Traffic { requests_per_second, failed_share: FAILED_SHARE };
    let seconds = LOOK_SECONDS * f64::from(LOOKS);
    let watches: Vec<Watch> =
        shares.iter().map(|share| Watch { share: *share, seconds, look_seconds: LOOK_SECONDS }).collect();
    let risk = smallest_detectable(&settings, &traffic, &watches, power).ok()??;
    let prediction = Prediction::of(&settings, &traffic, &watches, risk).ok()?;
    Some((risk, prediction.worse()))
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn simulate(requests_per_second: f64, shares: &[f64], risk: f64, rollouts: u64) -> f64 {
    let found = (0..rollouts).filter(|seed| {
        let mut draws = Random::new(*seed);
        let mut test = test();
        for share in shares {
            let versions = versions(requests_per_second, *share, FAILED_SHARE, risk);
            let mut gathered = Gathered::default();
            for look in 1..=LOOKS {
                let [candidate, stable] = versions.map(|version| version.seen(LOOK_SECONDS, 1.0, &mut draws));
                let seen =
                    increment((candidate.requests, candidate.failed), (stable.requests, stable.failed));
                let complete = gathered.add(&seen).or_else(|| (look == LOOKS).then(|| gathered.take()));
                complete.iter().for_each(|increment| observe(&mut test, increment));
            }
        }
        test.is_worse()
    });
    found.count() as f64 / rollouts as f64
}
