use proptest::prelude::*;

use super::{close, increment, observed};
use crate::evidence::{CountError, ErrorSettings, ErrorTest, SettingsError, Standing};

/// `python3 -c 'import math; L=[1.5,2,3,5,10,20,50,100]; o=lambda l,c,s: l*c/(l*c+s); print(math.log(sum(math.prod(
/// (o(l,c,s)/o(1,c,s))**f*((1-o(l,c,s))/(1-o(1,c,s)))**g for c,f,s,g in [(100,3,900,2),(500,4,500,1)]) for l in L)/8))'`
#[test]
fn the_e_value_is_the_mean_likelihood_ratio() {
    let test = observed(&[increment((100, 3), (900, 2)), increment((500, 4), (500, 1))]);
    close(test.log_e(), 3.415_068_158_605_089, 1e-12);
    close(test.p_value(), (-3.415_068_158_605_089_f64).exp(), 1e-12);
}

#[test]
fn a_candidate_that_fails_far_more_often_is_worse_and_an_equal_one_is_not() {
    let worse = observed(&[increment((2_103, 41), (208_114, 52))]);
    assert_eq!(worse.standing(), Standing::Worse);
    assert!(worse.e_value() > 1e9);
    let equal = observed(&[increment((2_103, 1), (208_114, 99))]);
    assert_eq!(equal.standing(), Standing::Undecided);
}

#[test]
fn no_failure_of_the_stable_version_is_needed() {
    assert_eq!(observed(&[increment((100, 4), (9_900, 0))]).standing(), Standing::Worse);
}

#[test]
fn a_version_without_requests_says_nothing() {
    for nothing in [increment((0, 0), (500, 500)), increment((500, 500), (0, 0)), increment((0, 0), (0, 0))] {
        let test = observed(&[nothing]);
        assert_eq!((test.log_e(), test.compared().failed()), (0.0, 0));
        assert_eq!(test.standing(), Standing::Undecided);
    }
}

#[test]
fn a_verdict_once_reached_stays() {
    let mut test = observed(&[increment((100, 4), (9_900, 0))]);
    test.observe(&increment((1_000, 0), (9_000, 90))).unwrap();
    assert!(test.e_value() < 1.0);
    assert_eq!(test.standing(), Standing::Worse);
}

#[test]
fn weight_changes_in_the_middle_are_right() {
    // Added up over both shares the candidate has 60 of 120 failures with 55 % of the requests; in truth it was failing
    // twice as often in either.
    let apart = observed(&[increment((100, 20), (900, 90)), increment((1_000, 40), (100, 2))]);
    let together = observed(&[increment((1_100, 60), (1_000, 92))]);
    assert!(apart.relative_risk().estimate.unwrap() > 1.9);
    assert!(together.relative_risk().estimate.unwrap() < 0.7);
}

#[test]
fn a_good_candidate_is_known_early_where_that_is_wanted() {
    let settings = ErrorSettings { unacceptable: Some(3.0), ..ErrorSettings::default() };
    let mut test = ErrorTest::new(settings).unwrap();
    test.observe(&increment((1_000, 2), (9_000, 18))).unwrap();
    assert_eq!(test.standing(), Standing::Undecided);
    test.observe(&increment((10_000, 10), (90_000, 90))).unwrap();
    assert_eq!(test.standing(), Standing::GoodEnough);
    assert!(test.log_e_good().unwrap() > 4.6);
    let bad = |failed| {
        let mut test = ErrorTest::new(settings).unwrap();
        test.observe(&increment((10_000, failed), (90_000, 90))).unwrap();
        test.standing()
    };
    assert_eq!((bad(30), bad(60)), (Standing::Worse, Standing::Worse));
}

#[test]
fn a_tolerated_multiple_is_tolerated() {
    let twice = ErrorSettings { tolerated: 2.0, ..ErrorSettings::default() };
    let seen = |settings| {
        let mut test = ErrorTest::new(settings).unwrap();
        test.observe(&increment((10_000, 200), (90_000, 900))).unwrap();
        test.standing()
    };
    assert_eq!(seen(ErrorSettings::default()), Standing::Worse);
    assert_eq!(seen(twice), Standing::Undecided);
}

#[test]
fn settings_out_of_range_are_refused() {
    let with = |alpha, tolerated, unacceptable| {
        ErrorTest::new(ErrorSettings { alpha, tolerated, unacceptable }).map(drop)
    };
    assert_eq!(with(0.0, 1.0, None), Err(SettingsError::Alpha(0.0)));
    assert!(with(f64::NAN, 1.0, None).is_err());
    assert_eq!(with(0.01, 100.0, None), Err(SettingsError::Tolerated(100.0)));
    assert_eq!(with(0.01, 2.0, Some(2.0)), Err(SettingsError::Unacceptable(2.0)));
    assert!(with(0.01, 2.0, Some(f64::INFINITY)).is_err());
    assert_eq!(with(0.01, 2.0, Some(4.0)), Ok(()));
}

#[test]
fn what_is_stored_goes_on_where_it_was() {
    let settings = ErrorSettings { unacceptable: Some(2.0), ..ErrorSettings::default() };
    let mut test = ErrorTest::new(settings).unwrap();
    test.observe(&increment((123, 4), (4_567, 8))).unwrap();
    let text = serde_json::to_string(&test).unwrap();
    let mut read: ErrorTest = serde_json::from_str(&text).unwrap();
    for test in [&mut test, &mut read] {
        test.observe(&increment((77, 3), (999, 2))).unwrap();
    }
    // JSON as it is read back may be off in the last binary digit of a number.
    close(read.log_e(), test.log_e(), 1e-12);
    close(read.relative_risk().lower, test.relative_risk().lower, 1e-12);
    assert_eq!((read.compared(), read.settings()), (test.compared(), test.settings()));
}

#[test]
fn impossible_counts_are_refused_and_change_nothing() {
    let mut test = observed(&[increment((10, 1), (90, 1))]);
    let before = test.clone();
    assert_eq!(
        test.observe(&increment((10, 11), (90, 0))),
        Err(CountError::MoreFailuresThanRequests { requests: 10, failed: 11 })
    );
    assert_eq!(test, before);
}

/// Requests and failures of one version.
fn side(largest: u64) -> impl Strategy<Value = (u64, u64)> {
    (0..=largest).prop_flat_map(|requests| (Just(requests), 0..=requests))
}

proptest! {
    #[test]
    fn more_failures_never_help(
        candidate in side(100_000), stable in side(100_000), next in (side(1_000), side(1_000)), more in 1_u64..1_000,
    ) {
        let with = |failed| observed(&[increment((candidate.0, failed), stable), increment(next.0, next.1)]);
        let worse = with((candidate.1 + more).min(candidate.0));
        prop_assert!(worse.log_e() >= with(candidate.1).log_e() - 1e-9);
    }

    #[test]
    fn a_shared_outage_never_fails_a_candidate(candidate in 1_u64..1_000_000, stable in 1_u64..1_000_000) {
        let test = observed(&[increment((candidate, candidate), (stable, stable))]);
        prop_assert!(test.log_e() <= 1e-6, "{}", test.log_e());
    }

    #[test]
    fn the_order_of_looks_at_equal_shares_does_not_matter(failures in prop::collection::vec((0_u64..20, 0_u64..20), 1..30)) {
        let mut looks: Vec<_> = failures.iter().map(|(c, s)| increment((50, *c), (950, *s))).collect();
        let forth = observed(&looks);
        let added = looks.iter().fold(increment((0, 0), (0, 0)), |sum, look| sum.plus(look));
        looks.reverse();
        close(observed(&looks).log_e(), forth.log_e(), 1e-9);
        close(observed(&[added]).log_e(), forth.log_e(), 1e-9);
    }

    #[test]
    fn nothing_is_ever_not_a_number(candidate in side(1_000_000_000), stable in side(1_000_000_000)) {
        let settings = ErrorSettings { unacceptable: Some(2.0), ..ErrorSettings::default() };
        let mut test = ErrorTest::new(settings).unwrap();
        for _ in 0..3 {
            test.observe(&increment(candidate, stable)).unwrap();
        }
        let risk = test.relative_risk();
        for number in [test.log_e(), test.e_value(), test.p_value(), test.log_e_good().unwrap(), risk.lower] {
            prop_assert!(number.is_finite(), "{test:?}");
        }
        prop_assert!(risk.upper.is_none_or(|upper| upper.is_finite() && upper >= risk.lower));
    }
}
