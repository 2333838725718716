use super::close;
use crate::evidence::{CountError, LimitError, LimitStanding, LimitTest};
use crate::simulate::Random;

fn observed(limit: f64, counts: &[(u64, u64)]) -> LimitTest {
    let mut test = LimitTest::new(0.01, limit).unwrap();
    counts.iter().for_each(|(requests, failed)| test.observe(*requests, *failed).unwrap());
    test
}

/// savvi 0.2.0 and ssrm-test 0.1.5, whose concentration is worth half a failure at `k = 1 / (2 × 0.05)`:
/// `m = Multinomial(0.01, np.array([.05, .95]), k=10); [m.update(np.array(x)) for x in ([2, 28], [7, 23])];
/// print(np.log(m.odds), m.calculate_conf_int(solver='CLARABEL')[0])` and
/// `print(sequential_posteriors(np.array([[2, 28], [7, 23]]), np.array([.05, .95]), np.array([.05, .95]), 10)[-1]
/// ['log_bayes_factor'])`
#[test]
fn the_e_value_and_the_interval_agree_with_savvi_and_ssrm_test() {
    let test = observed(0.05, &[(30, 2), (30, 7)]);
    close(test.log_e(), 2.195_380_522_518, 1e-9);
    let (lower, upper) = test.interval();
    close(lower, 0.035_006_43, 1e-5);
    close(upper, 0.360_581_52, 1e-5);
}

#[test]
fn above_below_or_not_known_yet() {
    assert_eq!(observed(0.01, &[(1_000, 60)]).standing(), LimitStanding::Above);
    assert_eq!(observed(0.01, &[(1_000, 11)]).standing(), LimitStanding::Undecided);
    assert_eq!(observed(0.01, &[(1_000, 0)]).standing(), LimitStanding::Below);
    assert_eq!(observed(0.01, &[(0, 0)]).standing(), LimitStanding::Undecided);
}

#[test]
fn extremes_are_numbers() {
    let billion = 1_000_000_000;
    for (requests, failed) in [(0, 0), (1, 1), (billion, 0), (billion, billion), (billion, billion / 2)] {
        let test = observed(0.001, &[(requests, failed)]);
        let (lower, upper) = test.interval();
        assert!(test.log_e().is_finite() && 0.0 <= lower && lower <= upper && upper <= 1.0, "{test:?}");
    }
}

#[test]
fn what_cannot_be_tested_is_refused() {
    assert_eq!(LimitTest::new(1.0, 0.1), Err(LimitError::Alpha(1.0)));
    assert_eq!(LimitTest::new(0.1, 0.0), Err(LimitError::Limit(0.0)));
    assert_eq!(
        observed(0.1, &[]).observe(1, 2),
        Err(CountError::MoreFailuresThanRequests { requests: 1, failed: 2 })
    );
}

#[test]
fn a_share_at_its_limit_is_seldom_taken_for_another() {
    let decided = (0..2_000)
        .filter(|seed| {
            let mut draws = Random::new(*seed);
            let mut test = LimitTest::new(0.05, 0.02).unwrap();
            for _ in 0..100 {
                let failed = draws.poisson(1.0);
                test.observe(failed + draws.poisson(49.0), failed).unwrap();
            }
            test.standing() != LimitStanding::Undecided
        })
        .count();
    // 5 % of 2,000 is 100; one run in a million has more than 149.
    assert!(decided <= 149, "{decided} of 2000");
}
