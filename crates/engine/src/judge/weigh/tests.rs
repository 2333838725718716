use proptest::prelude::*;

use super::*;

const VERDICTS: [Verdict; 3] = [Verdict::Fail, Verdict::Inconclusive, Verdict::Pass];

fn finding(trigger: &str, verdict: Verdict) -> Finding {
    Finding {
        trigger: trigger.to_owned(),
        verdict,
        words: format!("{trigger} in words"),
        dry_run: false,
        weight: None,
    }
}

fn weighed(verdict: Verdict, thousandths: u32, group: Option<&str>) -> Finding {
    let weight = Weight { thousandths, group: group.map(str::to_owned) };
    Finding { weight: Some(weight), ..finding("metrics.any", verdict) }
}

fn equal(verdicts: &[Verdict]) -> Vec<Finding> {
    verdicts.iter().map(|verdict| weighed(*verdict, WEIGHT_ONE, None)).collect()
}

fn verdict(findings: Vec<Finding>) -> Verdict {
    weigh(findings, &Score::default()).verdict
}

use Verdict::{Fail, Inconclusive, Pass};

#[test]
fn a_critical_failure_decides_whatever_the_score() {
    let mut findings = equal(&[Pass; 9]);
    findings.push(finding("metrics.queue", Fail));
    let judgement = weigh(findings, &Score::default());
    assert_eq!((judgement.verdict, judgement.words().as_str()), (Fail, "metrics.queue in words"));
}

#[test]
fn the_score_passes_fails_or_proves_nothing() {
    assert_eq!(verdict(equal(&[Pass; 4])), Pass);
    assert_eq!(verdict(equal(&[Pass, Pass, Pass, Fail])), Inconclusive);
    assert_eq!(verdict(equal(&[Pass, Pass, Fail, Fail])), Fail);
    let with_others = |scored: &[Verdict]| {
        let mut findings = equal(scored);
        findings.push(finding("error_rate", Pass));
        verdict(findings)
    };
    assert_eq!(with_others(&[Pass; 4]), Pass);
    assert_eq!(with_others(&[Pass, Pass, Pass, Fail]), Inconclusive);
    assert_eq!(with_others(&[Pass, Inconclusive]), Inconclusive);
}

#[test]
fn a_share_that_is_exactly_at_a_limit_has_reached_it() {
    for (good, bad) in [(19, 1), (38, 2), (57, 3), (95, 5)] {
        assert_eq!(
            verdict(equal(&[vec![Pass; good], vec![Fail; bad]].concat())),
            Pass,
            "{good} of {}",
            good + bad
        );
    }
    for (good, bad) in [(3, 1), (6, 2), (21, 7)] {
        assert_eq!(verdict(equal(&[vec![Pass; good], vec![Fail; bad]].concat())), Inconclusive);
    }
}

#[test]
fn what_says_nothing_is_left_out_until_it_is_half_of_the_weight() {
    assert_eq!(verdict(equal(&[Pass, Pass, Inconclusive])), Pass);
    assert_eq!(verdict(equal(&[Fail, Fail, Inconclusive])), Fail);
    assert_eq!(verdict(equal(&[Pass, Inconclusive])), Inconclusive);
    assert_eq!(verdict(equal(&[Fail, Inconclusive])), Inconclusive);
    assert_eq!(verdict(equal(&[Inconclusive])), Inconclusive);
}

#[test]
fn a_group_counts_by_its_weight_however_many_are_in_it() {
    let findings = || {
        let many = (0..9).map(|_| weighed(Pass, WEIGHT_ONE, Some("many")));
        many.chain([weighed(Fail, WEIGHT_ONE, Some("one"))]).collect::<Vec<_>>()
    };
    let with = |groups: &[(&str, u32)]| {
        let groups = groups.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect();
        weigh(findings(), &Score { groups, ..Score::default() }).verdict
    };
    assert_eq!(with(&[]), Fail);
    assert_eq!(with(&[("many", 5_000)]), Inconclusive);
    assert_eq!(with(&[("many", 30_000)]), Pass);
    assert_eq!(with(&[("many", 30_000), ("one", 30_000)]), Fail);
}

#[test]
fn the_score_is_told_with_what_lowered_it() {
    let words = |verdicts: &[Verdict]| weigh(equal(verdicts), &Score::default()).words();
    insta::assert_snapshot!(words(&[Pass, Fail]), @"the score is 50 %; 95 % passes, below 75 % fails; metrics.any in words");
    insta::assert_snapshot!(words(&[Pass, Pass, Inconclusive]), @"the score is 100 %, 33.33 % of the weight unknown; 95 % passes, below 75 % fails");
    insta::assert_snapshot!(words(&[Pass, Inconclusive]), @"there is no score: 50 % of the weight of its metrics is unknown");
}

#[test]
fn a_dry_run_is_told_and_decides_nothing() {
    let dry = Finding { dry_run: true, ..finding("metrics.queue", Fail) };
    let dry_weighed = Finding { dry_run: true, ..weighed(Fail, 9_000, None) };
    let judgement = weigh(vec![finding("error_rate", Pass), dry, dry_weighed], &Score::default());
    assert_eq!(judgement.verdict, Pass);
    insta::assert_snapshot!(judgement.words(), @"error_rate in words; would fail (dry run): metrics.queue in words; would fail (dry run): metrics.any in words");
    let alone = Finding { dry_run: true, ..finding("error_rate", Pass) };
    assert_eq!(verdict(vec![alone]), Inconclusive);
}

/// From worst to best.
fn rank(verdict: Verdict) -> usize {
    VERDICTS.iter().position(|other| *other == verdict).unwrap()
}

fn any_finding() -> impl Strategy<Value = Finding> {
    let group = prop::sample::select(vec![None, Some("a"), Some("b"), Some("c")]);
    let verdict = prop::sample::select(VERDICTS.to_vec());
    (verdict, group, 1..5_000_u32, 0..5_u8).prop_map(|(verdict, group, weight, kind)| match kind {
        0 => finding("error_rate", verdict),
        1 => Finding { dry_run: true, ..weighed(verdict, weight, group) },
        _ => weighed(verdict, weight, group),
    })
}

fn any_score() -> impl Strategy<Value = Score> {
    let groups = prop::collection::btree_map("[a-c]", 1..5_000_u32, 0..3);
    (0..=10_000_u32, 0..=10_000_u32, groups).prop_map(|(one, other, groups)| Score {
        pass: one.max(other),
        marginal: one.min(other),
        groups,
    })
}

proptest! {
    #[test]
    fn a_failing_finding_never_improves_the_verdict(
        findings in prop::collection::vec(any_finding(), 1..8), which in any::<prop::sample::Index>(), score in any_score(),
    ) {
        let mut worse = findings.clone();
        which.get_mut(&mut worse).verdict = Fail;
        let (before, after) = (weigh(findings, &score).verdict, weigh(worse, &score).verdict);
        prop_assert!(rank(after) <= rank(before), "{before:?} became {after:?}");
    }

    #[test]
    fn a_dry_run_never_changes_the_verdict(
        findings in prop::collection::vec(any_finding(), 1..8), dry in any_finding(), score in any_score(),
    ) {
        let with: Vec<Finding> = findings.iter().cloned().chain([Finding { dry_run: true, ..dry }]).collect();
        prop_assert_eq!(weigh(findings, &score).verdict, weigh(with, &score).verdict);
    }

    #[test]
    fn only_the_proportions_of_weights_matter(
        findings in prop::collection::vec(any_finding(), 1..8), score in any_score(), factor in 1..1_000_u32,
    ) {
        let mut heavier = findings.clone();
        for weight in heavier.iter_mut().filter_map(|finding| finding.weight.as_mut()) {
            weight.thousandths *= factor;
        }
        prop_assert_eq!(weigh(findings.clone(), &score).verdict, weigh(heavier, &score).verdict);
        let all = ["a", "b", "c"].map(|name| (name.to_owned(), score.groups.get(name).copied().unwrap_or(WEIGHT_ONE)));
        let grouped: Vec<Finding> = findings
            .into_iter()
            .filter(|finding| finding.weight.as_ref().is_none_or(|weight| weight.group.is_some()))
            .collect();
        let scaled = all.iter().map(|(name, weight)| (name.clone(), weight * factor)).collect();
        let scaled = Score { groups: scaled, ..score.clone() };
        prop_assert_eq!(weigh(grouped.clone(), &score).verdict, weigh(grouped, &scaled).verdict);
    }
}
