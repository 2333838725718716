use super::{Prediction, PredictionError, Traffic, Watch, failed_before_rollback, smallest_detectable};
use crate::evidence::{ErrorSettings, ErrorTest, Gathered, Increment, Standing};
use crate::simulate::Random;

const SETTINGS: ErrorSettings = ErrorSettings { alpha: 0.01, tolerated: 1.0, unacceptable: None };

const fn traffic(requests_per_second: f64, failed_share: f64) -> Traffic {
    Traffic { requests_per_second, failed_share }
}

const fn watch(share: f64, seconds: f64) -> Watch {
    Watch { share, seconds, look_seconds: 5.0 }
}

/// Of so many rollouts, the shares found worse and good enough, and the candidate's failures in the mean.
fn simulated(
    settings: ErrorSettings,
    traffic: Traffic,
    watches: &[Watch],
    risk: f64,
    rollouts: u64,
) -> [f64; 3] {
    let mut ended = [0.0; 3];
    for seed in 0..rollouts {
        let mut draws = Random::new(seed);
        let mut test = ErrorTest::new(settings).unwrap();
        let failed = rollout(&mut draws, &mut test, traffic, watches, risk);
        ended[0] += f64::from(u8::from(test.standing() == Standing::Worse));
        ended[1] += f64::from(u8::from(test.standing() == Standing::GoodEnough));
        ended[2] += failed as f64;
    }
    ended.map(|sum| sum / rollouts as f64)
}

/// One rollout, looked at 60 times a watch; ends with a verdict. Yields the candidate's failures.
fn rollout(draws: &mut Random, test: &mut ErrorTest, traffic: Traffic, watches: &[Watch], risk: f64) -> u64 {
    let mut failed = 0;
    for watch in watches {
        let mut gathered = Gathered::default();
        for look in 0..60 {
            let requests = traffic.requests_per_second * watch.seconds / 60.0;
            let mut count = |mean: f64, share: f64| {
                let failed = draws.poisson(mean * share);
                (failed + draws.poisson(mean * (1.0 - share)), failed)
            };
            let candidate = count(requests * watch.share, (traffic.failed_share * risk).min(1.0));
            let stable = count(requests * (1.0 - watch.share), traffic.failed_share);
            failed += candidate.1;
            let seen = Increment {
                candidate_requests: candidate.0,
                candidate_failed: candidate.1,
                stable_requests: stable.0,
                stable_failed: stable.1,
            };
            let complete = gathered.add(&seen).or_else(|| (look == 59).then(|| gathered.take()));
            complete.iter().for_each(|increment| test.observe(increment).unwrap());
            if test.standing() != Standing::Undecided {
                return failed;
            }
        }
    }
    failed
}

#[track_caller]
fn agrees(settings: ErrorSettings, traffic: Traffic, watches: &[Watch], risk: f64) {
    let prediction = Prediction::of(&settings, &traffic, watches, risk).unwrap();
    let [worse, good, failed] = simulated(settings, traffic, watches, risk, 1_500);
    let case = format!(
        "{risk}x: {:.3} {:.3} {:.1} predicted, {worse:.3} {good:.3} {failed:.1} simulated",
        prediction.worse(),
        prediction.good_enough(),
        prediction.failed_requests()
    );
    assert!((prediction.worse() - worse).abs() < 0.05, "{case}");
    assert!((prediction.good_enough() - good).abs() < 0.05, "{case}");
    assert!((prediction.failed_requests() - failed).abs() < 1.0 + 0.12 * failed, "{case}");
}

#[test]
fn one_watch_is_predicted_within_five_points() {
    for (rps, share, risks) in [
        (20.0, 0.01, [35.0, 57.0]),
        (100.0, 0.01, [12.0, 21.0]),
        (100.0, 0.1, [4.0, 8.0]),
        (1_000.0, 0.01, [2.0, 4.0]),
        (1_000.0, 0.5, [1.2, 1.5]),
    ] {
        for risk in risks {
            agrees(SETTINGS, traffic(rps, 0.001), &[watch(share, 300.0)], risk);
        }
    }
}

#[test]
fn evidence_adds_up_over_watches() {
    let rising = [watch(0.01, 300.0), watch(0.1, 300.0), watch(0.5, 300.0)];
    for (rps, risks) in [(20.0, [3.0, 6.0]), (100.0, [2.0, 3.0]), (1_000.0, [1.3, 1.6])] {
        for risk in risks {
            agrees(SETTINGS, traffic(rps, 0.001), &rising, risk);
        }
    }
}

#[test]
fn early_promotion_is_predicted_too() {
    let settings = ErrorSettings { unacceptable: Some(3.0), ..SETTINGS };
    for (rps, risk) in [(100.0, 1.0), (300.0, 1.0), (300.0, 2.0)] {
        agrees(settings, traffic(rps, 0.005), &[watch(0.05, 300.0), watch(0.25, 300.0)], risk);
    }
}

#[test]
fn false_alarms_are_within_alpha() {
    for (rps, share) in [(5.0, 0.01), (100.0, 0.1), (1_000.0, 0.5)] {
        let watches = [watch(share, 600.0), watch(0.5, 600.0)];
        let alarms = Prediction::of(&SETTINGS, &traffic(rps, 0.002), &watches, 1.0).unwrap().worse();
        assert!(alarms <= 0.01, "{alarms} at {rps}");
    }
}

#[test]
fn the_smallest_regressions_are_those_that_were_simulated() {
    // Simulated apart from this code: a canary of 1 %, 5 minutes, 0.1 % of the requests failing.
    for (rps, power, expected) in
        [(100.0, 0.5, 12.0), (100.0, 0.8, 17.0), (1_000.0, 0.5, 3.5), (1_000.0, 0.95, 5.8)]
    {
        let smallest = smallest_detectable(&SETTINGS, &traffic(rps, 0.001), &[watch(0.01, 300.0)], power)
            .unwrap()
            .unwrap();
        assert!((smallest / expected - 1.0).abs() < 0.15, "{smallest} at {rps} {power}");
    }
}

#[test]
fn what_can_see_nothing_says_so() {
    let blind = |rps, watches: &[Watch]| smallest_detectable(&SETTINGS, &traffic(rps, 0.001), watches, 0.5);
    assert_eq!(blind(0.0, &[watch(0.1, 300.0)]), Ok(None));
    assert_eq!(blind(1.0, &[watch(0.01, 60.0)]), Ok(None));
    assert_eq!(blind(1_000.0, &[watch(1.0, 300.0), watch(0.0, 300.0), watch(0.5, 0.0)]), Ok(None));
    assert_eq!(blind(1_000.0, &[]), Ok(None));
}

#[test]
fn more_traffic_time_and_share_see_more() {
    let power = |rps, share, seconds| {
        Prediction::of(&SETTINGS, &traffic(rps, 0.001), &[watch(share, seconds)], 5.0).unwrap().worse()
    };
    assert!(power(200.0, 0.05, 300.0) > power(100.0, 0.05, 300.0));
    assert!(power(100.0, 0.1, 300.0) > power(100.0, 0.05, 300.0));
    assert!(power(100.0, 0.05, 600.0) > power(100.0, 0.05, 300.0));
}

#[test]
fn huge_traffic_is_answered_by_the_closed_form() {
    let prediction = Prediction::of(&SETTINGS, &traffic(1e6, 0.01), &[watch(0.5, 86_400.0)], 1.5).unwrap();
    assert!(prediction.worse() > 0.999);
    assert!(prediction.seconds_until_worse(0.5).unwrap() < 86_400.0 / 40.0);
    assert!(prediction.failed_before_worse.is_some());
}

#[test]
fn any_numbers_are_answered() {
    for (rps, failed_share) in
        [(0.0, 0.5), (1e-300, 1e-300), (1e15, 1e-9), (1e15, 0.999), (1e300, 1e-300), (f64::MAX, 0.9)]
    {
        for share in [0.0, 1e-12, 0.5, 1.0 - 1e-12, 1.0] {
            for risk in [1e-300, 1.0, 1e300] {
                let watches = [watch(share, 1e6), watch(share, 1e-300)];
                let prediction =
                    Prediction::of(&SETTINGS, &traffic(rps, failed_share), &watches, risk).unwrap();
                let numbers = [prediction.worse(), prediction.good_enough(), prediction.undecided()];
                let probable = numbers.iter().all(|number| (0.0..=1.0 + 1e-9).contains(number));
                assert!(probable, "{rps} {failed_share} {share} {risk}: {numbers:?}");
            }
        }
    }
}

#[test]
fn failures_before_a_rollback_do_not_depend_on_the_traffic() {
    let formula = |risk| failed_before_rollback(&SETTINGS, risk).unwrap();
    assert!((formula(5.0) - 8.27).abs() < 0.1 && (formula(10.0) - 4.77).abs() < 0.1);
    assert_eq!(failed_before_rollback(&SETTINGS, 1.0), None);
    for rps in [100.0, 1_000.0] {
        let watches = [watch(0.01, 100_000.0 / rps * 30.0)];
        let failed = Prediction::of(&SETTINGS, &traffic(rps, 0.001), &watches, 10.0)
            .unwrap()
            .failed_before_worse
            .unwrap();
        assert!((failed - 5.0).abs() < 1.5, "{failed}");
    }
}

#[test]
fn out_of_range_is_refused() {
    let watches = [watch(0.1, 60.0)];
    let of = |traffic, watches: &[Watch], risk| Prediction::of(&SETTINGS, &traffic, watches, risk).map(drop);
    assert_eq!(of(traffic(-1.0, 0.1), &watches, 2.0), Err(PredictionError::Requests(-1.0)));
    assert_eq!(of(traffic(1.0, 0.0), &watches, 2.0), Err(PredictionError::Failures(0.0)));
    assert_eq!(of(traffic(1.0, 0.1), &watches, 0.0), Err(PredictionError::RelativeRisk(0.0)));
    assert_eq!(
        of(traffic(1.0, 0.1), &[watch(1.5, 60.0)], 2.0),
        Err(PredictionError::Watch(watch(1.5, 60.0)))
    );
    let power = smallest_detectable(&SETTINGS, &traffic(1.0, 0.1), &watches, 1.0);
    assert_eq!(power, Err(PredictionError::Power(1.0)));
}
