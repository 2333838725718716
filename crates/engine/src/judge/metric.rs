//! One metric of a team's own: a number, or how it stands to the stable version's, and a limit.

use pilotage_spec::{Comparison, Metric, MetricLimit};

use super::{Finding, Known, MetricReading, Reading, Verdict, Weight};

/// What a metric says. A number that is not known, or that cannot be compared, is inconclusive.
pub(super) fn finding(metric: &Metric, reading: &Reading) -> Finding {
    let known = reading.metrics.iter().find(|known| known.name == metric.name);
    let (verdict, words) = match judged(metric, known) {
        Ok(judged) => {
            let verdict = if is_bad(metric.limit, judged.number) { Verdict::Fail } else { Verdict::Pass };
            (verdict, format!("{}; {}", judged.words, limit_words(metric)))
        }
        Err(reason) => (Verdict::Inconclusive, reason),
    };
    Finding {
        trigger: format!("metrics.{}", metric.name),
        verdict,
        words,
        dry_run: metric.dry_run,
        weight: weight(metric),
    }
}

fn weight(metric: &Metric) -> Option<Weight> {
    (!metric.critical).then(|| Weight { thousandths: metric.weight, group: metric.group.clone() })
}

/// The number that is held against the limit, and what it was made of.
struct Judged {
    number: f64,
    words: String,
}

fn judged(metric: &Metric, known: Option<&MetricReading>) -> Result<Judged, String> {
    let name = &metric.name;
    let ours = number(name, known.map_or(&Known::NotAsked, |known| &known.value))?;
    if metric.compare.is_value() {
        return Ok(Judged { number: ours, words: format!("{name} is {ours}") });
    }
    let theirs = match known.map_or(&Known::NotAsked, |known| &known.stable) {
        Known::NotAsked => return Err(format!("there is no {name} of a stable version to compare with")),
        asked => number(&format!("{name} of the stable version"), asked)?,
    };
    let both = format!("{name} is {ours} against {theirs} on the stable version");
    if metric.compare == Comparison::Difference {
        let number = ours - theirs;
        let sign = if number > 0.0 { "+" } else { "" };
        return Ok(Judged { number, words: format!("{both} ({sign}{})", rounded(number)) });
    }
    if theirs == 0.0 {
        return Err(format!("{both}: nothing can be a multiple of 0"));
    }
    if theirs < 0.0 || ours < 0.0 {
        return Err(format!("{both}: a ratio of negative numbers says nothing; `compare: difference` does"));
    }
    let number = ours / theirs;
    Ok(Judged { number, words: format!("{both} ({}×)", rounded(number)) })
}

fn number(what: &str, known: &Known<f64>) -> Result<f64, String> {
    match known {
        Known::Value(value) if value.is_finite() => Ok(*value),
        Known::Value(value) => Err(format!("{what} is {value}, and only a finite number can be judged")),
        Known::Unknown(reason) => Err(format!("{what} is not known: {reason}")),
        Known::NotAsked => Err(format!("{what} is not known yet")),
    }
}

fn is_bad(limit: MetricLimit, number: f64) -> bool {
    match limit {
        MetricLimit::Above(above) => number > above,
        MetricLimit::Below(below) => number < below,
        MetricLimit::Outside { below, above } => number < below || number > above,
    }
}

fn limit_words(metric: &Metric) -> String {
    let sign = if metric.compare == Comparison::Ratio { "×" } else { "" };
    let outside = match metric.limit {
        MetricLimit::Above(above) => format!("above {above}{sign}"),
        MetricLimit::Below(below) => format!("below {below}{sign}"),
        MetricLimit::Outside { below, above } => format!("below {below}{sign} or above {above}{sign}"),
    };
    let decides = metric.critical && !metric.dry_run;
    format!("{outside} {}", if decides { "takes the release back" } else { "is bad" })
}

/// A number that was calculated: its last digits are an accident of binary fractions.
fn rounded(number: f64) -> String {
    if number != 0.0 && !(1e-3..1e15).contains(&number.abs()) {
        return format!("{number:.3e}");
    }
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use pilotage_spec::{MetricSource, WEIGHT_ONE};
    use proptest::prelude::*;

    use super::*;

    fn metric(compare: Comparison, limit: MetricLimit) -> Metric {
        Metric {
            name: "orders".to_owned(),
            source: MetricSource::Query("orders".to_owned()),
            compare,
            limit,
            critical: true,
            weight: WEIGHT_ONE,
            group: None,
            dry_run: false,
        }
    }

    fn seen(metric: &Metric, value: Known<f64>, stable: Known<f64>) -> (Verdict, String) {
        let known = MetricReading { name: "orders".to_owned(), value, stable };
        let finding = finding(metric, &Reading { metrics: vec![known], ..Reading::default() });
        assert_eq!(finding.trigger, "metrics.orders");
        (finding.verdict, finding.words)
    }

    fn verdict(metric: &Metric, value: f64, stable: f64) -> Verdict {
        seen(metric, Known::Value(value), Known::Value(stable)).0
    }

    const RANGE: MetricLimit = MetricLimit::Outside { below: -1.0, above: 2.0 };

    #[test]
    fn a_number_is_held_against_its_limit_and_a_bound_itself_is_good() {
        use Verdict::{Fail, Pass};
        for (limit, number, expected) in [
            (MetricLimit::Above(100.0), 100.0, Pass),
            (MetricLimit::Above(100.0), 100.1, Fail),
            (MetricLimit::Above(100.0), -1e300, Pass),
            (MetricLimit::Below(0.5), 0.5, Pass),
            (MetricLimit::Below(0.5), 0.4, Fail),
            (RANGE, -1.0, Pass),
            (RANGE, 2.0, Pass),
            (RANGE, -1.1, Fail),
            (RANGE, 2.1, Fail),
        ] {
            let metric = metric(Comparison::Value, limit);
            assert_eq!(
                seen(&metric, Known::Value(number), Known::NotAsked).0,
                expected,
                "{limit:?} {number}"
            );
        }
    }

    #[test]
    fn a_ratio_and_a_difference_are_of_the_candidate_to_the_stable_version() {
        let ratio = metric(Comparison::Ratio, MetricLimit::Above(1.2));
        assert_eq!(
            [verdict(&ratio, 12.0, 10.0), verdict(&ratio, 12.1, 10.0)],
            [Verdict::Pass, Verdict::Fail]
        );
        let fewer = metric(Comparison::Ratio, MetricLimit::Below(0.8));
        assert_eq!([verdict(&fewer, 0.0, 10.0), verdict(&fewer, 8.0, 10.0)], [Verdict::Fail, Verdict::Pass]);
        let more = metric(Comparison::Difference, MetricLimit::Above(3.0));
        assert_eq!(
            [verdict(&more, -7.0, -10.0), verdict(&more, -6.9, -10.0)],
            [Verdict::Pass, Verdict::Fail]
        );
    }

    #[test]
    fn what_it_saw_is_said_with_numbers() {
        let words = |metric: &Metric| seen(metric, Known::Value(0.3), Known::Value(0.1)).1;
        insta::assert_snapshot!(words(&metric(Comparison::Value, RANGE)), @"orders is 0.3; below -1 or above 2 takes the release back");
        insta::assert_snapshot!(words(&metric(Comparison::Ratio, MetricLimit::Above(1.2))), @"orders is 0.3 against 0.1 on the stable version (3×); above 1.2× takes the release back");
        let weighed = Metric { critical: false, ..metric(Comparison::Difference, MetricLimit::Above(1.0)) };
        insta::assert_snapshot!(words(&weighed), @"orders is 0.3 against 0.1 on the stable version (+0.2); above 1 is bad");
    }

    #[test]
    fn what_cannot_be_compared_is_inconclusive_and_says_why() {
        let words = |value, stable| {
            let (verdict, words) = seen(&metric(Comparison::Ratio, MetricLimit::Above(1.2)), value, stable);
            assert_eq!(verdict, Verdict::Inconclusive, "{words}");
            words
        };
        let known = Known::Value;
        insta::assert_snapshot!(words(known(5.0), known(0.0)), @"orders is 5 against 0 on the stable version: nothing can be a multiple of 0");
        insta::assert_snapshot!(words(known(5.0), known(-1.0)), @"orders is 5 against -1 on the stable version: a ratio of negative numbers says nothing; `compare: difference` does");
        insta::assert_snapshot!(words(known(f64::NAN), known(1.0)), @"orders is NaN, and only a finite number can be judged");
        insta::assert_snapshot!(words(known(1.0), known(f64::INFINITY)), @"orders of the stable version is inf, and only a finite number can be judged");
        insta::assert_snapshot!(words(Known::NotAsked, Known::NotAsked), @"orders is not known yet");
        insta::assert_snapshot!(words(known(1.0), Known::NotAsked), @"there is no orders of a stable version to compare with");
        insta::assert_snapshot!(words(known(1.0), Known::Unknown("refused".to_owned())), @"orders of the stable version is not known: refused");
    }

    proptest! {
        #[test]
        fn more_of_what_is_bad_never_helps(
            value in -1e300..1e300_f64, more in 0.0..1e300_f64, stable in -1e300..1e300_f64, above in 0.1..10.0_f64,
        ) {
            for compare in [Comparison::Value, Comparison::Ratio, Comparison::Difference] {
                let metric = metric(compare, MetricLimit::Above(above));
                if verdict(&metric, value, stable) == Verdict::Fail {
                    prop_assert_eq!(verdict(&metric, value + more, stable), Verdict::Fail);
                }
            }
        }

        #[test]
        fn any_numbers_are_judged(value in any::<f64>(), stable in any::<f64>(), bound in -1e9..1e9_f64) {
            for compare in [Comparison::Value, Comparison::Ratio, Comparison::Difference] {
                for limit in [MetricLimit::Above(bound), MetricLimit::Below(bound), RANGE] {
                    let (verdict, words) = seen(&metric(compare, limit), Known::Value(value), Known::Value(stable));
                    prop_assert!(!words.is_empty());
                    prop_assert!(value.is_finite() || verdict == Verdict::Inconclusive);
                }
            }
        }
    }
}
