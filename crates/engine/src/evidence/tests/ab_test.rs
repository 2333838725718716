use crate::evidence::{AbError, AbIncrement, AbStanding, AbTest};
use crate::simulate::Random;

fn test_of(increment: AbIncrement) -> AbTest {
    let mut test = AbTest::new(0.05, 0.1).unwrap();
    test.observe(&increment).unwrap();
    test
}

fn arms(a: (u64, u64), b: (u64, u64)) -> AbIncrement {
    AbIncrement { a_units: a.0, a_successes: a.1, b_units: b.0, b_successes: b.1 }
}

#[test]
fn a_winner_no_difference_or_not_known_yet() {
    let standing = |a, b| test_of(arms(a, b)).standing();
    assert_eq!(standing((10_000, 500), (10_000, 700)), AbStanding::BWins);
    assert_eq!(standing((10_000, 700), (10_000, 500)), AbStanding::AWins);
    assert_eq!(standing((100_000, 5_000), (100_000, 5_010)), AbStanding::NoDifference);
    assert_eq!(standing((1_000, 50), (1_000, 60)), AbStanding::Inconclusive);
    assert_eq!(standing((0, 0), (1_000, 60)), AbStanding::Inconclusive);
}

#[test]
fn the_effect_is_a_ratio() {
    let test = test_of(arms((40_000, 2_000), (20_000, 1_200)));
    let ratio = test.ratio();
    assert!((ratio.estimate.unwrap() - 1.2).abs() < 1e-9);
    assert!(ratio.lower > 1.0 && ratio.upper.unwrap() < 1.45, "{ratio:?}");
    assert_eq!(test.totals().a_units, 40_000);
}

#[test]
fn out_of_range_is_refused() {
    assert_eq!(AbTest::new(0.0, 0.1), Err(AbError::Alpha(0.0)));
    assert_eq!(AbTest::new(0.1, 1.0), Err(AbError::Indifference(1.0)));
    assert!(AbTest::new(0.1, 0.1).unwrap().observe(&arms((1, 2), (1, 0))).is_err());
}

#[test]
fn equal_arms_seldom_have_a_winner() {
    let winners = (0..100)
        .filter(|seed| {
            let mut draws = Random::new(*seed);
            let mut test = AbTest::new(0.05, 0.000_1).unwrap();
            (0..20).any(|_| {
                let mut count = |mean: f64| {
                    let successes = draws.poisson(mean * 0.1);
                    (successes + draws.poisson(mean * 0.9), successes)
                };
                test.observe(&arms(count(300.0), count(100.0))).unwrap();
                test.standing() != AbStanding::Inconclusive
            })
        })
        .count();
    // 5 % of 100 is 5; one run in a million has more than 18.
    assert!(winners <= 18, "{winners} of 100");
}
