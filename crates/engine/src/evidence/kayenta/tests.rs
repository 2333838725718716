use super::{
    Allowed, Class, Direction, Effect, JudgeSettings, Judged, MannWhitney, MetricSettings, Missing, Scored,
    judge,
};

fn judged(metric: MetricSettings, candidate: &[f64], baseline: &[f64]) -> Scored {
    judge(&JudgeSettings::default(), &[(metric, candidate, baseline)])
}

fn class(candidate: &[f64], baseline: &[f64]) -> Class {
    judged(errors(), candidate, baseline).metrics[0].compared.class
}

/// A metric of which more is bad.
fn errors() -> MetricSettings {
    MetricSettings { direction: Direction::Increase, ..MetricSettings::new("errors", "quality") }
}

/// `python3 -c 'from scipy.stats import mannwhitneyu as t; print(t(X, Y, use_continuity=True, method="asymptotic"))'` with
/// scipy 1.17.1 and the samples below.
#[test]
fn the_test_agrees_with_scipy() {
    let check = |x: &[f64], y: &[f64], u: f64, p: f64| {
        let test = MannWhitney::compare(x, y, 0.98).unwrap();
        assert!((test.u - u).abs() < 1e-9 && (test.p_value - p).abs() < 1e-9, "{test:?}");
    };
    check(
        &[1.0, 2.0, 2.0, 3.0, 5.0, 8.0],
        &[2.0, 3.0, 4.0, 4.0, 4.0, 9.0, 11.0],
        12.5,
        0.247_168_849_766_108_64,
    );
    check(&[19.0, 22.0, 16.0, 29.0, 24.0], &[20.0, 11.0, 17.0, 12.0], 17.0, 0.111_346_886_533_140_41);
    check(&[0.0, 0.0, 0.0, 1.0, 0.0], &[0.0, 0.0, 0.0, 0.0, 0.0], 15.0, 0.423_710_797_166_793_4);
    check(&[4.0, 4.0], &[4.0, 4.0, 4.0], 3.0, 1.0);
}

/// The shift lies at the middle of all pairs' differences: `np.median(np.subtract.outer(X, Y))`. The interval's ends are roots by
/// `scipy.optimize.brentq` of `z(shift) ∓ norm.ppf(.99)`, as in R's `wilcox.test(X, Y, conf.int=TRUE, conf.level=.98)`.
#[test]
fn the_shift_and_its_interval_agree_with_wilcox_test() {
    let x = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    let y = [1.15, 0.88, 0.90, 0.74, 1.21];
    let test = MannWhitney::compare(&x, &y, 0.98).unwrap();
    for (ours, theirs) in [(test.shift, 0.305), (test.interval.0, -0.32), (test.interval.1, 0.99)] {
        assert!((ours - theirs).abs() < 1e-4, "{ours} is not {theirs}");
    }
}

const ONES: [f64; 10] = [1.0; 10];

fn hundreds(points: usize) -> [f64; 10] {
    std::array::from_fn(|index| if index < points { 100.0 } else { 1.0 })
}

#[test]
fn blind_to_seven_of_ten_points_a_hundred_times_too_high() {
    let seven = judged(errors(), &hundreds(7), &ONES);
    let compared = seven.metrics[0].compared;
    assert_eq!((compared.class, seven.judged), (Class::Pass, Judged::Pass));
    assert!((compared.effect.unwrap() - 70.3).abs() < 1e-9);
    assert!((compared.test.unwrap().shift - 99.0).abs() < 1e-3);
    assert_eq!(class(&hundreds(8), &ONES), Class::High);
}

#[test]
fn blind_to_errors_in_five_of_25_points_beside_none() {
    let nan = f64::NAN;
    let mut candidate = Vec::new();
    for errors in [1.0, 2.0, 1.0, 2.0, 1.0] {
        candidate.extend([errors, nan, nan, nan, nan]);
    }
    let zero = MetricSettings { missing: Missing::Zero, ..errors() };
    let scored = judged(zero, &candidate, &[nan; 25]);
    assert_eq!((scored.metrics[0].compared.class, scored.judged), (Class::Pass, Judged::Pass));
    // Leaving them out instead leaves nothing to compare with.
    assert_eq!(class(&candidate, &[nan; 25]), Class::NoData);
}

#[test]
fn blind_to_sparse_errors() {
    assert_eq!(class(&[0.0, 1.0, 2.0, 1.0, 0.0, 0.0], &[0.0; 6]), Class::Pass);
}

#[test]
fn blind_to_a_change_of_spread() {
    let candidate =
        [10.0, 10.1, 10.2, 10.3, 10.4, 10.5, 10.6, 17.0, 17.1, 17.2, 17.3, 17.4, 17.5, 17.6, 17.7];
    let baseline = [1.0, 100.0, 4.0, 101.0, 5.0, 102.0, 6.0, 103.0, 7.0, 104.0, 8.0, 105.0, 9.0, 106.0, 17.0];
    let either = MetricSettings::new("spread", "quality");
    assert_eq!(judged(either, &candidate, &baseline).metrics[0].compared.class, Class::Pass);
}

#[test]
fn three_beside_three_are_too_few_to_be_called_high() {
    let three = |fewest| {
        let settings = JudgeSettings { fewest, ..JudgeSettings::default() };
        judge(&settings, &[(errors(), &[4.0, 5.0, 6.0], &[1.0, 2.0, 3.0])]).metrics[0].compared.class
    };
    assert_eq!(three(JudgeSettings::default().fewest), Class::NoData);
    assert_eq!(three(1), Class::High);
}

#[test]
fn a_mean_of_zero_switches_the_check_of_the_effect_off() {
    let allowed = Allowed { increase: 1_000.0, decrease: 0.0 };
    let lenient = MetricSettings { allowed, ..errors() };
    let scored = judged(lenient, &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6], &[0.0; 6]);
    assert_eq!((scored.metrics[0].compared.class, scored.metrics[0].compared.effect), (Class::High, None));
}

#[test]
fn constants_that_differ_differ_and_equal_ones_pass() {
    assert_eq!(class(&[2.0; 10], &ONES), Class::High);
    assert_eq!(class(&ONES, &ONES), Class::Pass);
}

#[test]
fn direction_and_size_of_the_effect_decide_what_is_bad() {
    let with = |direction, allowed| {
        let metric = MetricSettings { direction, allowed, ..errors() };
        judged(metric, &[2.0; 10], &ONES).judged
    };
    let nothing = Allowed::nothing(Effect::MeanRatio);
    assert_eq!(with(Direction::Increase, nothing), Judged::Fail);
    assert_eq!(with(Direction::Decrease, nothing), Judged::Pass);
    assert_eq!(with(Direction::Either, nothing), Judged::Fail);
    assert_eq!(with(Direction::Increase, Allowed { increase: 2.5, decrease: 0.5 }), Judged::Pass);
    let cles = MetricSettings {
        effect: Effect::CommonLanguage,
        allowed: Allowed::nothing(Effect::CommonLanguage),
        ..errors()
    };
    assert_eq!(judged(cles, &[2.0; 10], &ONES).metrics[0].compared.effect, Some(1.0));
}

#[test]
fn groups_are_weighted_and_the_score_is_graded() {
    let metric = |group: &str| MetricSettings { group: group.to_owned(), ..errors() };
    let good: (&[f64], &[f64]) = (&ONES, &ONES);
    let bad: (&[f64], &[f64]) = (&[2.0; 10], &ONES);
    let scored = |weight: f64| {
        let settings =
            JudgeSettings { weights: [("errors".to_owned(), weight)].into(), ..JudgeSettings::default() };
        let of = |group: &str, (candidate, baseline)| (metric(group), candidate, baseline);
        judge(&settings, &[of("errors", good), of("errors", bad), of("latency", good), of("other", good)])
    };
    assert_eq!((scored(40.0).score, scored(40.0).judged), (80.0, Judged::Marginal));
    assert_eq!((scored(60.0).score, scored(60.0).judged), (70.0, Judged::Fail));
    assert_eq!((scored(0.0).score, scored(0.0).judged), (100.0, Judged::Pass));
}

#[test]
fn critical_muted_and_missing_metrics() {
    let critical = MetricSettings { critical: true, ..errors() };
    let grave = Allowed { increase: 3.0, decrease: 0.3 };
    let only_if_grave = MetricSettings { critical_effect: Some(grave), ..critical.clone() };
    let muted = MetricSettings { muted: true, ..critical.clone() };
    let needed = MetricSettings { must_have_data: true, ..errors() };
    let beside_three_good = |metric: MetricSettings, candidate: &[f64]| {
        let good: (MetricSettings, &[f64], &[f64]) = (errors(), &ONES, &ONES);
        judge(&JudgeSettings::default(), &[good.clone(), good.clone(), good, (metric, candidate, &ONES)])
            .score
    };
    assert_eq!(beside_three_good(critical, &[2.0; 10]), 0.0);
    assert_eq!(beside_three_good(only_if_grave.clone(), &[2.0; 10]), 75.0);
    assert_eq!(beside_three_good(only_if_grave, &[4.0; 10]), 0.0);
    assert_eq!(beside_three_good(muted, &[2.0; 10]), 100.0);
    assert_eq!(beside_three_good(needed, &[]), 75.0);
    assert_eq!(beside_three_good(errors(), &[]), 100.0);
    assert_eq!(judged(errors(), &[], &[]).judged, Judged::NoData);
}
