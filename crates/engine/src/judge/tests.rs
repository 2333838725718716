use std::time::Duration;

use pilotage_spec::{Kayenta, RollBackWhen, Strategy, StrategyKind, Trigger, Version};
use proptest::prelude::*;

use super::{
    Case, Counted, Evidence, InstanceReading, Judgement, Known, Look, MetricReading, Reading, Side, Verdict,
    judge,
};
use crate::{DeploymentEvent, Direction};

/// Requests, failed ones among them, and how long 99 % and the rest of them took.
#[derive(Clone, Copy)]
struct Did {
    requests: u64,
    failed: u64,
    fast_micros: u64,
    slow_micros: u64,
}

fn did(requests: u64, failed: u64) -> Did {
    Did { requests, failed, fast_micros: 1_000, slow_micros: 40_000 }
}

impl Did {
    fn slow(self, fast_micros: u64, slow_micros: u64) -> Self {
        Self { fast_micros, slow_micros, ..self }
    }

    fn side(self) -> Side {
        let slow = self.requests.div_ceil(100);
        Side {
            requests: self.requests,
            failed: self.failed,
            failed_clients: self.failed,
            latencies: vec![(self.fast_micros, self.requests - slow), (self.slow_micros, slow)],
        }
    }

    fn counted(self) -> Counted {
        let Self { requests, failed, fast_micros, slow_micros } = self;
        Counted {
            requests,
            failed,
            p50_micros: Some(fast_micros),
            p95_micros: Some(fast_micros),
            p99_micros: Some(slow_micros),
        }
    }
}

fn strategy(roll_back_when: RollBackWhen) -> Strategy {
    let minute = Duration::from_secs(60);
    Strategy { roll_back_when, ..Strategy::new(StrategyKind::BlueGreen, minute, minute) }
}

fn look(candidate: Did, stable: Did) -> Look {
    let beside = stable.requests > 0;
    Look { candidate: candidate.side(), stable: stable.side(), beside, micros: 10_000_000 }
}

/// What is measured when the stable version did this before, and then both did that, looked at once.
fn reading_of(when: &RollBackWhen, before: Did, candidate: Did, stable: Did) -> Reading {
    let mut tests = Evidence::new(&strategy(when.clone()));
    tests.known_before(&before.side());
    tests.look(look(candidate, stable));
    tests.shares_changed();
    Reading {
        candidate: candidate.counted(),
        stable: stable.counted(),
        tests: Some(Box::new(tests)),
        instances: vec![InstanceReading { name: "api-1".to_owned(), ..InstanceReading::default() }],
        ..Reading::default()
    }
}

fn reading(candidate: Did, stable: Did) -> Reading {
    reading_of(&RollBackWhen::default(), did(10_000, 5), candidate, stable)
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn judged_when(when: &RollBackWhen, reading: &Reading) -> Judgement {
    judge(&Case { when, candidate: &version("1.2.0"), stable: Some(&version("1.1.0")) }, reading)
}

fn judged(reading: &Reading) -> Judgement {
    judged_when(&RollBackWhen::default(), reading)
}

fn verdict_of(judgement: &Judgement, trigger: &str) -> Verdict {
    judgement.findings.iter().find(|finding| finding.trigger == trigger).unwrap().verdict
}

fn words_of(judgement: &Judgement, trigger: &str) -> String {
    judgement.findings.iter().find(|finding| finding.trigger == trigger).unwrap().words.clone()
}

#[test]
fn says_what_it_saw_in_words() {
    let judgement = judged(&reading(did(2_103, 41), did(208_114, 52)));
    assert_eq!(judgement.verdict, Verdict::Fail);
    insta::assert_snapshot!(judgement.words());
    let findings: Vec<String> = judged(&reading(did(2_103, 1), did(208_114, 52)))
        .findings
        .iter()
        .map(|finding| format!("{} {:?}: {}", finding.trigger, finding.verdict, finding.words))
        .collect();
    insta::assert_snapshot!(findings.join("\n"));
}

#[test]
fn failures_of_one_client_are_one_and_said_to_be() {
    let mut tests = Evidence::new(&strategy(RollBackWhen::default()));
    let mut one = look(did(1_000, 40), did(9_000, 4));
    one.candidate.failed_clients = 1;
    tests.look(one);
    let judgement = judged(&Reading { tests: Some(Box::new(tests)), ..Reading::default() });
    assert_eq!(verdict_of(&judgement, "errors_vs_stable"), Verdict::Inconclusive);
    let words = words_of(&judgement, "errors_vs_stable");
    assert!(
        words.starts_with("40 of 1,000 requests failed on 1.2.0 (4 %, counted as 1 by client)"),
        "{words}"
    );
}

#[test]
fn evidence_is_read_back_from_what_was_recorded() {
    let when = RollBackWhen {
        kayenta: Some(Kayenta { pass: 95, marginal: 75, every: Duration::from_secs(10) }),
        ..RollBackWhen::default()
    };
    let reading = reading_of(&when, did(10_000, 5), did(2_103, 41), did(208_114, 52));
    let recorded = DeploymentEvent::HealthChecked {
        direction: Direction::Forward,
        step: 3,
        version: version("1.2.0"),
        verdict: Verdict::Fail,
        reading: Some(Box::new(reading.clone())),
    };
    let text = serde_json::to_string(&recorded).unwrap();
    let read: DeploymentEvent = serde_json::from_str(&text).unwrap();
    let DeploymentEvent::HealthChecked { reading: Some(read), .. } = read else { panic!("{read:?}") };
    assert_eq!(judged_when(&when, &read), judged_when(&when, &reading));
}

#[test]
fn a_few_failures_are_enough_if_they_cannot_be_luck() {
    let few = judged(&reading(did(8, 6), did(800, 0)));
    assert_eq!(verdict_of(&few, "errors_vs_stable"), Verdict::Fail);
    let quiet = judged(&reading(did(8, 0), did(800, 0)));
    assert_eq!(quiet.verdict, Verdict::Inconclusive);
}

#[test]
fn after_the_switch_evidence_from_before_does_not_excuse_the_candidate() {
    let mut reading = reading(did(1_000, 0), did(9_000, 9));
    reading.tests.as_mut().unwrap().look(look(did(1_000, 40), did(0, 0)));
    let judgement = judged(&reading);
    assert_eq!(verdict_of(&judgement, "errors_vs_stable"), Verdict::Fail);
    insta::assert_snapshot!(words_of(&judgement, "errors_vs_stable"));
}

#[test]
fn a_late_regression_in_a_long_soak_is_found() {
    let mut reading = reading(did(1_000, 0), did(9_000, 9));
    let tests = reading.tests.as_mut().unwrap();
    (0..1_000).for_each(|_| tests.look(look(did(1_000, 1), did(0, 0))));
    assert_eq!(judged(&reading).verdict, Verdict::Pass);
    let tests = reading.tests.as_mut().unwrap();
    (0..5).for_each(|_| tests.look(look(did(1_000, 30), did(0, 0))));
    assert_eq!(verdict_of(&judged(&reading), "errors_vs_stable"), Verdict::Fail);
}

#[test]
fn too_few_requests_prove_nothing_good() {
    let judgement = judged(&reading(did(49, 0), did(10_000, 0)));
    assert_eq!(verdict_of(&judgement, "error_rate"), Verdict::Inconclusive);
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
    assert_eq!(judged(&reading(did(1_000, 0), did(10_000, 0))).verdict, Verdict::Pass);
}

#[test]
fn nothing_at_all_is_inconclusive() {
    assert_eq!(judged(&Reading::default()).verdict, Verdict::Inconclusive);
}

#[test]
fn instances_that_are_up_prove_nothing_about_a_release_that_nobody_uses() {
    let judgement = judged(&reading(did(0, 0), did(10_000, 0)));
    assert_eq!(verdict_of(&judgement, "probe_failures"), Verdict::Pass);
    assert_eq!(judgement.verdict, Verdict::Inconclusive);
}

#[test]
fn a_shared_outage_fails_no_candidate_against_the_stable_version() {
    let when = RollBackWhen { error_rate: None, ..RollBackWhen::default() };
    let outage = did(500, 100).slow(900_000, 2_000_000);
    let reading = reading_of(&when, did(10_000, 0), outage, Did { requests: 4_500, failed: 900, ..outage });
    assert_ne!(judged_when(&when, &reading).verdict, Verdict::Fail);
}

#[test]
fn a_few_failures_more_are_luck() {
    let judgement = judged(&reading(did(1_000, 4), did(9_000, 9)));
    assert_ne!(judgement.verdict, Verdict::Fail);
}

#[test]
fn after_the_switch_the_stable_versions_earlier_requests_are_the_measure() {
    assert_eq!(verdict_of(&judged(&reading(did(1_000, 40), did(0, 0))), "errors_vs_stable"), Verdict::Fail);
    let unknown = reading_of(&RollBackWhen::default(), did(0, 0), did(1_000, 40), did(0, 0));
    assert_eq!(verdict_of(&judged(&unknown), "errors_vs_stable"), Verdict::Inconclusive);
}

#[test]
fn slow_is_bad_only_beyond_what_is_allowed_and_beyond_the_noise_of_the_machine() {
    let all = |fast, slow| did(4_000, 0).slow(fast, slow);
    let p99 = |candidate: Did, stable: Did| {
        let reading = reading_of(&RollBackWhen::default(), did(100_000, 0), candidate, stable);
        verdict_of(&judged(&reading), "p99_vs_stable")
    };
    let healthy = did(36_000, 0);
    assert_eq!(p99(all(70_000, 90_000), healthy), Verdict::Fail);
    assert_ne!(p99(all(1_000, 50_000), healthy), Verdict::Fail, "within one and a half times");
    assert_ne!(p99(all(70_000, 90_000), healthy.slow(70_000, 90_000)), Verdict::Fail, "both are slow");
    let quick = reading_of(
        &RollBackWhen::default(),
        did(100_000, 0).slow(500, 1_000),
        all(3_000, 3_500),
        healthy.slow(500, 1_000),
    );
    assert_ne!(verdict_of(&judged(&quick), "p99_vs_stable"), Verdict::Fail, "three milliseconds are noise");
}

#[test]
fn the_quantiles_stand_beside_the_slow_requests() {
    let slow = did(4_000, 0).slow(70_000, 90_000);
    let reading = reading_of(&RollBackWhen::default(), did(100_000, 0), slow, did(36_000, 0));
    insta::assert_snapshot!(words_of(&judged(&reading), "p99_vs_stable"));
}

#[test]
fn what_only_reports_takes_nothing_back_and_is_said() {
    let when = RollBackWhen {
        dry_run: vec![Trigger::ErrorRate, Trigger::ErrorsVsStable],
        ..RollBackWhen::default()
    };
    let judgement = judged_when(&when, &reading(did(400, 40), did(3_600, 2)));
    assert_ne!(judgement.verdict, Verdict::Fail);
    assert!(judgement.words().contains("would fail (dry run): 40 of 400"), "{}", judgement.words());
}

#[test]
fn kayentas_judge_scores_points_in_time_and_needs_five() {
    let when = RollBackWhen {
        kayenta: Some(Kayenta { pass: 95, marginal: 75, every: Duration::from_secs(10) }),
        error_rate: None,
        errors_vs_stable: None,
        ..RollBackWhen::default()
    };
    let after = |looks: usize, failed: u64| {
        let mut tests = Evidence::new(&strategy(when.clone()));
        (0..looks).for_each(|_| tests.look(look(did(100, failed), did(900, 9))));
        let reading = Reading { tests: Some(Box::new(tests)), ..Reading::default() };
        judged_when(&when, &reading)
    };
    assert_eq!(verdict_of(&after(4, 50), "kayenta"), Verdict::Inconclusive);
    assert_eq!(verdict_of(&after(10, 50), "kayenta"), Verdict::Fail);
    insta::assert_snapshot!(words_of(&after(10, 50), "kayenta"));
    assert_eq!(verdict_of(&after(10, 1), "kayenta"), Verdict::Pass);
}

#[test]
fn kayentas_judge_does_without_latencies_where_none_are_measured() {
    let when = RollBackWhen {
        kayenta: Some(Kayenta { pass: 95, marginal: 75, every: Duration::from_secs(10) }),
        ..RollBackWhen::default()
    };
    let mut tests = Evidence::new(&strategy(when.clone()));
    for _ in 0..10 {
        let mut look = look(did(100, 50), did(900, 9));
        (look.candidate.latencies, look.stable.latencies) = (Vec::new(), Vec::new());
        tests.look(look);
    }
    let reading = Reading { tests: Some(Box::new(tests)), ..Reading::default() };
    assert_eq!(verdict_of(&judged_when(&when, &reading), "kayenta"), Verdict::Fail);
}

#[test]
fn a_watch_may_end_early_only_with_evidence_of_its_own_share() {
    let mut tests =
        Evidence::new(&Strategy { early_promotion: Some(5_000), ..strategy(RollBackWhen::default()) });
    tests.look(look(did(10_000, 10), did(90_000, 90)));
    assert!(tests.may_promote_early());
    tests.shares_changed();
    assert!(!tests.may_promote_early());
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
fn alerts_fire_are_quiet_or_cannot_be_asked() {
    let with = |alerts| judged(&Reading { alerts, ..Reading::default() });
    assert_eq!(verdict_of(&with(Known::Value(Vec::new())), "alerts"), Verdict::Pass);
    assert_eq!(verdict_of(&with(Known::Unknown("refused".to_owned())), "alerts"), Verdict::Inconclusive);
    assert_eq!(verdict_of(&with(Known::Value(vec!["DiskFull".to_owned()])), "alerts"), Verdict::Fail);
}

#[test]
fn a_trigger_that_is_off_is_not_heard() {
    let off = RollBackWhen { error_rate: None, errors_vs_stable: None, ..RollBackWhen::default() };
    let reading = reading_of(&off, did(10_000, 0), did(400, 400), did(3_600, 0));
    assert_ne!(judged_when(&off, &reading).verdict, Verdict::Fail);
}

proptest! {
    #[test]
    fn more_failures_never_help(requests in 1_u64..100_000, failed in 0_u64..1_000, stable in 0_u64..100_000) {
        let failed = failed.min(requests);
        let fails = |failed| judged(&reading(did(requests, failed), did(stable, stable / 100))).verdict;
        if fails(failed) == Verdict::Fail {
            prop_assert_eq!(fails(requests.min(failed + 1)), Verdict::Fail);
        }
    }

    #[test]
    fn any_numbers_give_a_verdict(
        requests in any::<u64>(), failed in any::<u64>(), stable in any::<u64>(), latency in any::<u64>(), value in any::<f64>(),
    ) {
        let mut tests = Evidence::new(&strategy(RollBackWhen::default()));
        let side = |requests| Side { requests, failed, failed_clients: failed, latencies: vec![(latency, requests)] };
        tests.known_before(&side(stable));
        for beside in [true, false, true] {
            tests.look(Look { candidate: side(requests), stable: side(stable), beside, micros: latency });
            tests.shares_changed();
        }
        let metrics = vec![MetricReading { name: "any".to_owned(), value: Known::Value(value), stable: Known::NotAsked }];
        judged(&Reading { tests: Some(Box::new(tests)), metrics, ..Reading::default() });
    }

    /// Whatever way the shares take, and however often it is looked at, something that both share fails nobody.
    #[test]
    fn a_shared_outage_fails_nobody_under_any_weights(
        looks in proptest::collection::vec((1_u64..100, 0_u64..50), 1..60),
    ) {
        let when = RollBackWhen { error_rate: None, ..RollBackWhen::default() };
        let mut tests = Evidence::new(&strategy(when.clone()));
        tests.known_before(&did(10_000, 0).side());
        for (share, failing) in looks {
            let part = |share: u64| did(share * 100, share * failing).slow(900_000, 900_000);
            tests.look(look(part(share), part(100 - share.min(99))));
            tests.shares_changed();
        }
        let reading = Reading { tests: Some(Box::new(tests)), ..Reading::default() };
        prop_assert_ne!(judged_when(&when, &reading).verdict, Verdict::Fail);
    }
}
