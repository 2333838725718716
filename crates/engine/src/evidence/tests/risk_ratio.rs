use super::{close, increment, observed};
use crate::evidence::{Interval, RiskRatio};
use crate::simulate::Random;

/// With equal arms the interval is that of savvi 0.2.0 with Dirichlet parameters 1 and 1, for the candidate's share in the failures:
/// `m = Multinomial(0.01, np.array([.5, .5]), k=2); m.update(np.array([12, 3]));
/// print(m.calculate_conf_int(solver='CLARABEL')[0])`
#[test]
fn equal_arms_agree_with_savvi() {
    let Interval { estimate, lower, upper } = observed(&[increment((1_000, 12), (1_000, 3))]).relative_risk();
    close(estimate.unwrap(), 4.0, 1e-9);
    let share = |odds: f64| odds / (1.0 + odds);
    close(share(lower), 0.363_534_21, 1e-6);
    close(share(upper.unwrap()), 0.988_350_35, 1e-6);
}

#[test]
fn what_cannot_be_known_is_open() {
    let nothing = observed(&[increment((1_000, 0), (1_000, 0))]).relative_risk();
    assert_eq!(nothing, Interval { estimate: None, lower: 0.0, upper: None });
    let ours = observed(&[increment((1_000, 20), (1_000, 0))]).relative_risk();
    assert!(ours.estimate.is_none() && ours.upper.is_none() && ours.lower > 1.0, "{ours:?}");
    let theirs = observed(&[increment((1_000, 0), (1_000, 20))]).relative_risk();
    assert!(theirs.estimate == Some(0.0) && theirs.lower == 0.0 && theirs.upper.unwrap() < 1.0, "{theirs:?}");
}

#[test]
fn many_looks_at_noisy_shares_are_as_exact_as_one() {
    let mut draws = Random::new(7);
    let mut ratio = RiskRatio::default();
    for _ in 0..2_000 {
        let candidate = 50 + draws.poisson(50.0);
        let failed = draws.poisson(candidate as f64 * 0.03).min(candidate);
        let stable = 800 + draws.poisson(100.0);
        ratio.observe(&increment((candidate, failed), (stable, draws.poisson(stable as f64 * 0.01))));
    }
    let Interval { estimate, lower, upper } = ratio.interval(0.01);
    let upper = upper.unwrap();
    assert!(lower < 3.0 && 3.0 < upper, "{lower} {upper}");
    assert!(upper / lower < 1.16, "{lower} {upper}");
    close(estimate.unwrap(), 3.0, 0.05);
    let text = serde_json::to_string(&ratio).unwrap();
    assert!(text.len() < 10_000, "{} bytes", text.len());
    // JSON as it is read back may be off in the last binary digit of a number.
    let read: RiskRatio = serde_json::from_str(&text).unwrap();
    close(read.interval(0.01).lower, lower, 1e-12);
}

#[test]
fn the_true_value_is_seldom_ever_outside() {
    let outside = (0..150)
        .filter(|seed| {
            let mut draws = Random::new(*seed);
            let mut ratio = RiskRatio::default();
            (0..20).any(|look| {
                let share = if look < 10 { 0.1 } else { 0.5 };
                let mut count = |mean: f64, rate: f64| {
                    let failed = draws.poisson(mean * rate);
                    (failed + draws.poisson(mean * (1.0 - rate)), failed)
                };
                ratio.observe(&increment(count(400.0 * share, 0.06), count(400.0 * (1.0 - share), 0.02)));
                let Interval { lower, upper, .. } = ratio.interval(0.05);
                lower > 3.0 || upper.is_some_and(|upper| upper < 3.0)
            })
        })
        .count();
    // 5 % of 150 is 7.5; one run in a million has more than 23.
    assert!(outside <= 23, "{outside} of 150");
}
