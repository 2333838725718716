use pilotage_spec::{Metric, MetricLimit, RollBackWhen};
use proptest::prelude::*;

use crate::evidence::{ErrorSettings, ErrorTest, Increment};
use crate::{DeploymentEvent, Direction};

use super::{Counted, InstanceReading, Judgement, Known, MetricReading, Reading, Verdict, judge};

fn counted(requests: u64, failed: u64) -> Counted {
    Counted { requests, failed, p50_micros: Some(1_000), p95_micros: Some(20_000), p99_micros: Some(40_000) }
}

fn reading(candidate: Counted, stable: Counted) -> Reading {
    Reading {
        candidate,
        stable,
        instances: vec![InstanceReading { name: "api-1".to_owned(), ..InstanceReading::default() }],
        ..Reading::default()
    }
}

fn judged(reading: &Reading) -> Judgement {
    judge(&RollBackWhen::default(), reading)
}

fn verdict_of(judgement: &Judgement, trigger: &str) -> Verdict {
    judgement.findings.iter().find(|finding| finding.trigger == trigger).unwrap().verdict
}

#[test]
fn says_what_it_saw_in_words() {
    let judgement = judged(&reading(counted(400, 40), counted(3_600, 2)));
    assert_eq!(judgement.verdict, Verdict::Fail);
    insta::assert_snapshot!(judgement.words().replace("; ", "\n"), @"
    40 of 400 requests failed (10 %)
    the limit is 5 %
    40 of 400 requests failed (10 %) against 2 of 3600 (0.06 %) on the stable version at the same time
    the limit is 2×
    ");
}

/// The same with what a test of these failures says, of 2×, looked at once.
fn with_evidence(candidate: Counted, stable: Counted) -> Reading {
    let mut test = ErrorTest::new(ErrorSettings { tolerated: 2.0, ..ErrorSettings::default() }).unwrap();
    let increment = Increment {
        candidate_requests: candidate.requests,
        stable_requests: stable.requests,
        candidate_failed: candidate.failed,
        stable_failed: stable.failed,
    };
    test.observe(&increment).unwrap();
    Reading { evidence: Some(Box::new(test)), ..reading(candidate, stable) }
}

#[test]
fn evidence_is_told_with_its_strength() {
    let words = |candidate, stable| {
        let judgement = judged(&with_evidence(candidate, stable));
        let finding = judgement.findings.into_iter().find(|finding| finding.trigger == "errors_vs_stable");
        let finding = finding.unwrap();
        (finding.verdict, finding.words)
    };
    let (verdict, said) = words(counted(2_103, 41), counted(208_114, 52));
    assert_eq!(verdict, Verdict::Fail);
    insta::assert_snapshot!(said, @"41 of 2103 requests failed (1.95 %), 52 of 208114 on the stable version at the same time (0.02 %): over 2× that rate beyond doubt (e = 3·10⁴¹)");
    let (verdict, said) = words(counted(2_103, 1), counted(208_114, 52));
    assert_eq!(verdict, Verdict::Pass);
    insta::assert_snapshot!(said, @"1 of 2103 requests failed (0.05 %), 52 of 208114 on the stable version at the same time (0.02 %): no evidence of over 2× that rate (e = 0.3)");
}

#[test]
fn evidence_is_read_back_from_what_was_recorded() {
    let reading = with_evidence(counted(2_103, 41), counted(208_114, 52));
    let recorded = DeploymentEvent::HealthChecked {
        direction: Direction::Forward,
        step: 3,
        version: "1.2.0".parse().unwrap(),
        verdict: Verdict::Fail,
        reading: Some(Box::new(reading.clone())),
    };
    let text = serde_json::to_string(&recorded).unwrap();
    let read: DeploymentEvent = serde_json::from_str(&text).unwrap();
    let DeploymentEvent::HealthChecked { reading: Some(read), .. } = read else { panic!("{read:?}") };
    assert_eq!(judged(&read), judged(&reading));
}

#[test]
fn evidence_needs_few_requests_and_a_shared_outage_gives_none() {
    let few = judged(&with_evidence(counted(8, 6), counted(800, 0)));
    assert_eq!(verdict_of(&few, "errors_vs_stable"), Verdict::Fail);
    let quiet = judged(&with_evidence(counted(8, 0), counted(800, 0)));
    assert_eq!(verdict_of(&quiet, "errors_vs_stable"), Verdict::Inconclusive);
    let outage = judged(&with_evidence(counted(500, 100), counted(4_500, 900)));
    assert_eq!(verdict_of(&outage, "errors_vs_stable"), Verdict::Pass);
}

#[test]
fn after_the_switch_evidence_from_before_does_not_excuse_the_candidate() {
    let mut reading = with_evidence(counted(1_000, 0), counted(9_000, 9));
    reading.candidate = counted(1_000, 40);
    reading.stable = counted(0, 0);
    reading.before = counted(10_000, 10);
    assert_eq!(verdict_of(&judged(&reading), "errors_vs_stable"), Verdict::Fail);
}

#[test]
fn too_few_requests_prove_nothing() {
    let judgement = judged(&reading(counted(49, 49), counted(10_000, 0)));
    assert_eq!(verdict_of(&judgement, "error_rate"), Verdict::Inconclusive);
    assert_eq!(verdict_of(&judgement, "errors_vs_stable"), Verdict::Inconclusive);
}

#[test]
fn nothing_at_all_is_inconclusive() {
    assert_eq!(judged(&Reading::default()).verdict, Verdict::Inconclusive);
}

#[test]
fn instances_that_are_up_prove_nothing_about_a_release_that_nobody_uses() {
    let judgement = judged(&reading(counted(0, 0), counted(10_000, 0)));
    assert_eq!(verdict_of(&judgement, "probe_failures"), Verdict::Pass);
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
}

#[test]
fn a_shared_outage_fails_no_candidate_against_the_stable_version() {
    let judgement = judged(&reading(counted(500, 100), counted(4_500, 900)));
    assert_eq!(verdict_of(&judgement, "errors_vs_stable"), Verdict::Pass);
}

#[test]
fn a_few_failures_more_are_luck() {
    let judgement = judged(&reading(counted(1_000, 4), counted(9_000, 9)));
    assert_eq!(verdict_of(&judgement, "errors_vs_stable"), Verdict::Pass);
}

#[test]
fn after_the_switch_the_stable_versions_earlier_requests_are_the_measure() {
    let mut reading = reading(counted(1_000, 40), counted(0, 0));
    reading.before = counted(10_000, 10);
    assert_eq!(verdict_of(&judged(&reading), "errors_vs_stable"), Verdict::Fail);
    reading.before = Counted::default();
    assert_eq!(verdict_of(&judged(&reading), "errors_vs_stable"), Verdict::Inconclusive);
}

#[test]
fn slow_is_bad_only_beyond_the_noise_of_the_machine() {
    let slow = |p99| Counted { p99_micros: Some(p99), ..counted(2_000, 0) };
    let p99 =
        |candidate, stable| verdict_of(&judged(&reading(slow(candidate), slow(stable))), "p99_vs_stable");
    assert_eq!(p99(70_000, 40_000), Verdict::Fail);
    assert_eq!(p99(50_000, 40_000), Verdict::Pass);
    assert_eq!(p99(3_000, 1_000), Verdict::Pass);
}

#[test]
fn instances_speak_for_their_version() {
    let with = |instance: InstanceReading| {
        let reading = Reading { instances: vec![instance], ..Reading::default() };
        judged(&reading)
    };
    let healthy = InstanceReading::default;
    let probes = |n| with(InstanceReading { probe_failures: n, ..healthy() });
    assert_eq!(verdict_of(&probes(2), "probe_failures"), Verdict::Pass);
    assert_eq!(verdict_of(&probes(3), "probe_failures"), Verdict::Fail);
    let given_up = with(InstanceReading { failed: Some("it ended".to_owned()), ..healthy() });
    assert_eq!(verdict_of(&given_up, "probe_failures"), Verdict::Fail);
    let memory = |share| with(InstanceReading { memory_share: share, ..healthy() });
    assert_eq!(verdict_of(&memory(Some(9_001)), "memory"), Verdict::Fail);
    assert_eq!(verdict_of(&memory(Some(9_000)), "memory"), Verdict::Pass);
    assert_eq!(verdict_of(&memory(None), "memory"), Verdict::Inconclusive);
    let cpu = with(InstanceReading { cpu_share: Some(9_500), ..healthy() });
    assert_eq!(verdict_of(&cpu, "cpu"), Verdict::Fail);
}

#[test]
fn alerts_and_metrics_of_the_teams_own() {
    let when = RollBackWhen {
        metrics: vec![Metric {
            name: "queue".to_owned(),
            query: "queue_depth".to_owned(),
            limit: MetricLimit::Above(100.0),
        }],
        ..RollBackWhen::default()
    };
    let with = |alerts, value| {
        let metrics = vec![MetricReading { name: "queue".to_owned(), value }];
        judge(&when, &Reading { alerts, metrics, ..Reading::default() })
    };
    let quiet = || Known::Value(Vec::new());
    assert_eq!(verdict_of(&with(quiet(), Known::Value(99.0)), "metrics.queue"), Verdict::Pass);
    assert_eq!(verdict_of(&with(quiet(), Known::Value(101.0)), "metrics.queue"), Verdict::Fail);
    assert_eq!(verdict_of(&with(quiet(), Known::Value(f64::NAN)), "metrics.queue"), Verdict::Inconclusive);
    let down = with(Known::Unknown("refused".to_owned()), Known::Unknown("refused".to_owned()));
    assert_eq!(verdict_of(&down, "alerts"), Verdict::Inconclusive);
    assert_eq!(verdict_of(&down, "metrics.queue"), Verdict::Inconclusive);
    let fires = with(Known::Value(vec!["DiskFull".to_owned()]), Known::NotAsked);
    assert_eq!(verdict_of(&fires, "alerts"), Verdict::Fail);
}

#[test]
fn a_trigger_that_is_off_is_not_heard() {
    let off = RollBackWhen { error_rate: None, errors_vs_stable: None, ..RollBackWhen::default() };
    let judgement = judge(&off, &reading(counted(400, 400), counted(3_600, 0)));
    assert_ne!(judgement.verdict, Verdict::Fail);
}

proptest! {
    #[test]
    fn more_failures_never_help(requests in 1_u64..100_000, failed in 0_u64..1_000, stable in 0_u64..100_000) {
        let failed = failed.min(requests);
        let fails = |failed| judged(&reading(counted(requests, failed), counted(stable, stable / 100))).verdict;
        if fails(failed) == Verdict::Fail {
            prop_assert_eq!(fails(requests.min(failed + 1)), Verdict::Fail);
        }
    }

    #[test]
    fn any_numbers_give_a_verdict(
        requests in any::<u64>(), failed in any::<u64>(), stable in any::<u64>(), p99 in any::<u64>(), value in any::<f64>(),
    ) {
        let mut reading = reading(counted(requests, failed), counted(stable, failed));
        reading.candidate.p99_micros = Some(p99);
        reading.metrics = vec![MetricReading { name: "any".to_owned(), value: Known::Value(value) }];
        judged(&reading);
    }
}
