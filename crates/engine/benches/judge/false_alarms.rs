//! How often two equal versions are told apart.

use pilotage_engine::evidence::{ErrorSettings, Gathered, RenewedErrorTest};

use crate::figure::{Goal, print};
use crate::traffic::{increment, versions};
use pilotage_engine::simulate::Random;

/// Shares of the candidate, each for five minutes, looked at every ten seconds.
const SHARES: [f64; 3] = [0.01, 0.1, 0.5];
const LOOKS: u32 = 30;
const LOOK_SECONDS: f64 = 10.0;
const FAILED_SHARE: f64 = 0.005;

/// In percent.
const GOAL: f64 = 1.0;

pub fn run(quick: bool) {
    let rollouts = if quick { 2_000 } else { 20_000 };
    for requests_per_second in [1.0, 20.0, 100.0, 1_000.0, 10_000.0] {
        for burst in [1.0, 2.0, 5.0] {
            let mut alarms = [0_u32; 2];
            for seed in 0..rollouts {
                let [folded, unfolded] = rollout(&mut Random::new(seed), requests_per_second, burst);
                alarms[0] += u32::from(folded);
                alarms[1] += u32::from(unfolded);
            }
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let [folded, unfolded] = alarms.map(|alarms| 100.0 * f64::from(alarms) / rollouts as f64);
            let name = |kind| format!("false_rollbacks.{kind}.{requests_per_second}rps.burst{burst}");
            print(&name("folded"), folded, "%", &Goal::AtMost(GOAL));
            print(&name("unfolded"), unfolded, "%", &Goal::None);
        }
    }
}

/// Whether one rollout is taken back, with failures counted once a burst and with all of them.
fn rollout(draws: &mut Random, requests_per_second: f64, burst: f64) -> [bool; 2] {
    let mut tests = [(); 2].map(|()| test());
    for share in SHARES {
        let versions = versions(requests_per_second, share, FAILED_SHARE, 1.0);
        let mut gathered = [Gathered::default(); 2];
        for look in 1..=LOOKS {
            let [candidate, stable] = versions.map(|version| version.seen(LOOK_SECONDS, burst, draws));
            let looks = [
                increment((candidate.requests, candidate.bursts), (stable.requests, stable.bursts)),
                increment((candidate.requests, candidate.failed), (stable.requests, stable.failed)),
            ];
            for ((seen, gathered), test) in looks.iter().zip(&mut gathered).zip(&mut tests) {
                let complete = gathered.add(seen).or_else(|| (look == LOOKS).then(|| gathered.take()));
                complete.iter().for_each(|increment| observe(test, increment));
            }
        }
    }
    tests.map(|test| test.is_worse())
}

/// The test that decides, with the default settings: one false alarm in a hundred, nothing tolerated.
pub fn test() -> RenewedErrorTest {
    let Ok(test) = RenewedErrorTest::new(ErrorSettings::default()) else {
        unreachable!("the default settings are in range")
    };
    test
}

/// Gives a test what was drawn.
pub fn observe(test: &mut RenewedErrorTest, increment: &pilotage_engine::evidence::Increment) {
    assert!(test.observe(increment).is_ok(), "more failures than requests were drawn");
}
