//! What rehearsals show of the default canary.

use super::*;
use crate::Plan;
use crate::plan::testing;

const RUNS: u64 = 40;

fn rehearsal(plan: Plan, requests_per_second: f64, faults: &[&str]) -> Rehearsal {
    let traffic = Traffic::new(requests_per_second, 0.001).unwrap();
    let faults = faults.iter().map(|fault| fault.parse().unwrap()).collect();
    Rehearsal::new(plan, traffic, faults).unwrap()
}

fn summary(rehearsal: &Rehearsal, runs: u64) -> Summary {
    let rollouts: Vec<Rollout> = (0..runs).map(|number| rehearsal.play(1, number)).collect();
    Summary::of(&rollouts, rehearsal.course())
}

fn canary(requests_per_second: f64, faults: &[&str]) -> Summary {
    summary(&rehearsal(testing::plan("canary"), requests_per_second, faults), RUNS)
}

/// The default canary without an absolute limit.
fn without_limit() -> Plan {
    let mut request = testing::request("canary", 3);
    request.strategy.roll_back_when.error_rate = None;
    Plan::new(request).unwrap()
}

#[test]
fn a_number_of_a_seed_is_the_same_rollout_every_time() {
    let played = rehearsal(testing::plan("canary"), 100.0, &["errors 3 %"]);
    for number in 0..5 {
        assert_eq!(played.play(7, number), played.play(7, number));
    }
    let after = |seed: u64, number: u64| played.play(seed, number).failed;
    assert!((0..5).any(|number| after(7, number) != after(8, number)), "the seed changes nothing");
    assert!((0..5).any(|number| after(7, number) != after(7, number + 1)), "all rollouts are the same");
}

#[test]
fn a_canary_that_fails_one_request_in_ten_is_always_taken_back_and_early() {
    let summary = canary(100.0, &["errors 10 %"]);
    assert_eq!(summary.rolled_back, RUNS, "{summary:?}");
    assert!(summary.taken_back_after_ms.unwrap().p95 < 300_000.0, "{summary:?}");
    let hurt = summary.users_hurt.unwrap().mean;
    assert!(hurt > 1.0 && hurt < 100.0, "{summary:?}");
}

#[test]
fn a_crash_loop_is_always_taken_back_by_its_restarts() {
    let summary = canary(1.0, &["crash loop"]);
    assert_eq!(summary.rolled_back, RUNS, "{summary:?}");
    assert!(summary.triggers["probe_failures"] > 0, "{summary:?}");
}

#[test]
fn a_good_release_is_taken_back_no_more_often_than_allowed() {
    for requests_per_second in [1.0, 100.0] {
        let summary = canary(requests_per_second, &[]);
        // One in a hundred is allowed; five of forty would come by chance once in ten thousand such tests.
        assert!(summary.taken_back() < 5, "{summary:?}");
        assert_eq!(summary.succeeded + summary.taken_back(), RUNS, "{summary:?}");
    }
}

#[test]
fn an_outage_of_both_versions_takes_nothing_back() {
    for fault in ["shared outage for 10m", "shared outage 20 % for 10m", "shared outage 20 % at 25 % for 5m"]
    {
        let summary = summary(&rehearsal(without_limit(), 100.0, &[fault]), RUNS);
        assert!(summary.taken_back() < 5, "{fault}: {summary:?}");
        assert!(summary.users_hurt.unwrap().mean.abs() < 50.0, "{fault}: {summary:?}");
    }
}

#[test]
fn a_slow_release_is_taken_back_by_its_latency() {
    let summary = canary(200.0, &["p99 3x at 25 %"]);
    assert_eq!(summary.rolled_back, RUNS, "{summary:?}");
    assert!(summary.triggers.keys().all(|trigger| trigger.starts_with("p9")), "{summary:?}");
    assert!(summary.steps.iter().all(|step| step.step >= 3), "{summary:?}");
}

#[test]
fn a_fault_begins_and_ends_when_it_is_said_to() {
    let from_step = canary(100.0, &["errors 30 % from step 3"]);
    assert!(from_step.steps.iter().all(|step| step.step == 3 && step.share == 2_500), "{from_step:?}");
    let after = canary(100.0, &["errors 30 % after 12m"]);
    let earliest = after.taken_back_after_ms.unwrap().median;
    assert!((720_000.0..780_000.0).contains(&earliest), "{after:?}");
    // At such a time of night a canary of 1 % has had no request in it.
    let short = canary(0.1, &["errors 100 % for 1s"]);
    assert!(short.taken_back() < 5, "{short:?}");
}

#[test]
fn what_is_never_reached_is_refused_beforehand() {
    let plan = || testing::plan("canary");
    let traffic = Traffic::new(1.0, 0.0).unwrap();
    let refused =
        |fault: &str| Rehearsal::new(plan(), traffic, vec![fault.parse().unwrap()]).unwrap_err().to_string();
    assert!(refused("errors 3 % from step 6").contains("in 5 steps only"));
    assert!(Rehearsal::new(plan(), traffic, vec!["errors 3 % at 100 %".parse().unwrap()]).is_ok());
    for (rate, share) in
        [(0.0, 0.0), (-1.0, 0.0), (f64::NAN, 0.0), (f64::INFINITY, 0.0), (1.0, 1.1), (1.0, f64::NAN)]
    {
        assert!(Traffic::new(rate, share).is_err(), "{rate} {share}");
    }
}

#[test]
fn without_evidence_the_policy_decides() {
    use pilotage_spec::Inconclusive;
    let ends = |inconclusive| {
        let mut request = testing::request("canary", 3);
        request.policy.inconclusive = inconclusive;
        summary(&rehearsal(Plan::new(request).unwrap(), 0.1, &["nothing"]), 10)
    };
    assert_eq!(ends(Inconclusive::GoOn).succeeded_unsure, 10);
    assert_eq!(ends(Inconclusive::RollBack).inconclusive, 10);
    assert_eq!(ends(Inconclusive::Hold).held, 10);
}

#[test]
fn every_strategy_can_be_played() {
    for strategy in ["canary", "canary-at-once", "blue-green", "rolling", "recreate"] {
        let played = rehearsal(testing::plan(strategy), 50.0, &["errors 40 %"]);
        let bad = summary(&played, 10);
        assert_eq!(bad.rolled_back, 10, "{strategy}: {bad:?}");
        let good = summary(&played.without_fault(), 10);
        assert_eq!(good.succeeded, 10, "{strategy}: {good:?}");
    }
}

#[test]
fn a_canary_beside_a_fresh_copy_of_the_stable_version_can_be_played() {
    let mut request = testing::request("canary", 3);
    request.strategy.baseline = pilotage_spec::Baseline::Fresh;
    let played = rehearsal(Plan::new(request).unwrap(), 100.0, &["errors 5 %"]);
    let (bad, good) = (summary(&played, 10), summary(&played.without_fault(), 10));
    assert_eq!(bad.rolled_back, 10, "{bad:?}");
    assert!(bad.triggers.contains_key("errors_vs_stable"), "{bad:?}");
    assert_eq!(good.succeeded, 10, "{good:?}");
}

#[test]
fn the_picture_shows_both_panels_and_is_well_formed() {
    let played = rehearsal(testing::plan("canary"), 100.0, &["errors 3 %"]);
    let rollouts =
        |rehearsal: &Rehearsal| (0..20).map(|number| rehearsal.play(1, number)).collect::<Vec<_>>();
    let svg = picture(&Pictured {
        title: "a & b <c>",
        subtitle: "by \"canary\"",
        candidate: "1.1.0",
        stable: "1.0.0",
        fault: "errors 3 %",
        course: played.course(),
        with_fault: &rollouts(&played),
        without_fault: &rollouts(&played.without_fault()),
    });
    assert!(svg.contains("a &amp; b &lt;c&gt;") && svg.contains("20 of 20 taken back"), "{svg}");
    assert!(!svg.contains("NaN") && !svg.contains("<script"), "{svg}");
    // Every element that is opened is closed, in order.
    let mut open: Vec<&str> = Vec::new();
    for tag in svg.split('<').skip(1) {
        let (tag, _) = tag.split_once('>').unwrap();
        let name = tag.split([' ', '/']).next().unwrap();
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        match tag.strip_prefix('/') {
            Some(closed) => assert_eq!(open.pop(), Some(closed)),
            None if tag.ends_with('/') => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, Vec::<&str>::new());
}
