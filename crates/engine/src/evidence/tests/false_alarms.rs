//! How often equal versions are told apart, by seed. The bounds are those that a share of exactly α would exceed in one
//! run out of a million.

use super::increment;
use crate::evidence::{ErrorSettings, ErrorTest, Gathered, Increment, Standing};
use crate::simulate::Random;

/// One look at two versions with their mean requests and failure rates. Requests come by themselves, so
/// failed ones and others are counted independently.
fn look(draws: &mut Random, [candidate, stable]: [(f64, f64); 2]) -> Increment {
    let mut count = |(mean, rate): (f64, f64)| {
        let failed = draws.poisson(mean * rate);
        (failed + draws.poisson(mean * (1.0 - rate)), failed)
    };
    increment(count(candidate), count(stable))
}

/// Of so many rollouts, how many end with this verdict. What a look sees is for the rollout to say.
fn ended(
    rollouts: u64,
    settings: ErrorSettings,
    wanted: Standing,
    rollout: impl Fn(&mut Random, &mut ErrorTest),
) -> u64 {
    (0..rollouts)
        .filter(|seed| {
            let mut test = ErrorTest::new(settings).unwrap();
            rollout(&mut Random::new(*seed), &mut test);
            test.standing() == wanted
        })
        .count() as u64
}

const ALPHA: f64 = 0.05;
const SETTINGS: ErrorSettings = ErrorSettings { alpha: ALPHA, tolerated: 1.0, unacceptable: None };
const ROLLOUTS: u64 = 3_000;
/// 5 % of 3,000 is 150; one run in a million has more than 210.
const AT_MOST: u64 = 210;

#[test]
fn equal_versions_under_any_path_of_the_weight() {
    let alarms = ended(ROLLOUTS, SETTINGS, Standing::Worse, |draws, test| {
        let requests = 10_f64.powf(1.0 + 3.0 * draws.share());
        let mut rate = 0.001 + 0.1 * draws.share();
        let mut share = 0.01;
        for _ in 0..60 {
            // The share goes up and down, the failure rate of both drifts, now and then everything fails.
            if draws.share() < 0.1 {
                share = draws.share();
            }
            rate = (rate * (0.7 + 0.6 * draws.share())).clamp(0.000_1, 0.5);
            let now = if draws.share() < 0.02 { 0.9 } else { rate };
            test.observe(&look(draws, [(requests * share, now), (requests * (1.0 - share), now)])).unwrap();
        }
    });
    assert!(alarms <= AT_MOST, "{alarms} of {ROLLOUTS}");
}

#[test]
fn equal_versions_whose_weight_follows_the_verdict() {
    // The weight rises whenever the candidate looks good: what is done next depends on what was seen.
    let alarms = ended(ROLLOUTS, SETTINGS, Standing::Worse, |draws, test| {
        let mut share = 0.05;
        for _ in 0..60 {
            share = if test.log_e() < 0.0 { (share * 1.3_f64).min(0.9) } else { (share / 1.3).max(0.01) };
            test.observe(&look(draws, [(500.0 * share, 0.02), (500.0 * (1.0 - share), 0.02)])).unwrap();
        }
    });
    assert!(alarms <= AT_MOST, "{alarms} of {ROLLOUTS}");
}

#[test]
fn short_looks_that_are_gathered() {
    let alarms = ended(ROLLOUTS, SETTINGS, Standing::Worse, |draws, test| {
        let mut gathered = Gathered::default();
        for _ in 0..300 {
            if let Some(complete) = gathered.add(&look(draws, [(0.5, 0.05), (9.5, 0.05)])) {
                test.observe(&complete).unwrap();
            }
        }
    });
    assert!(alarms <= AT_MOST, "{alarms} of {ROLLOUTS}");
}

#[test]
fn twice_the_failures_where_twice_is_tolerated() {
    let settings = ErrorSettings { tolerated: 2.0, ..SETTINGS };
    let alarms = ended(ROLLOUTS, settings, Standing::Worse, |draws, test| {
        for _ in 0..60 {
            test.observe(&look(draws, [(50.0, 0.2), (450.0, 0.1)])).unwrap();
        }
    });
    assert!(alarms <= AT_MOST, "{alarms} of {ROLLOUTS}");
}

#[test]
fn an_unacceptable_candidate_is_seldom_promoted_early() {
    let settings = ErrorSettings { tolerated: 1.9, unacceptable: Some(2.0), ..SETTINGS };
    let promoted = ended(ROLLOUTS, settings, Standing::GoodEnough, |draws, test| {
        for _ in 0..60 {
            test.observe(&look(draws, [(50.0, 0.1), (450.0, 0.05)])).unwrap();
        }
    });
    assert!(promoted <= AT_MOST, "{promoted} of {ROLLOUTS}");
}

#[test]
fn a_regression_is_found() {
    let found = ended(500, SETTINGS, Standing::Worse, |draws, test| {
        for _ in 0..60 {
            test.observe(&look(draws, [(50.0, 0.05), (950.0, 0.01)])).unwrap();
        }
    });
    assert!(found > 495, "{found} of 500");
}
