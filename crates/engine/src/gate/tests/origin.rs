//! What the release is, where it has been, and what it meets.

use pilotage_spec::Digest;

use super::world::World;
use super::*;
use crate::judge::Known;

#[test]
fn without_a_smoke_suite_nothing_goes_out() {
    let mut world = World::strict();
    assert_eq!(world.outcome("smoke"), GateOutcome::Passed);
    world.plan.request.candidate.instance.smoke.clear();
    assert_eq!(world.outcome("smoke"), GateOutcome::Refused);
}

#[test]
fn the_artifact_is_the_one_that_passed_before() {
    let mut world = World::strict();
    let passed = world.facts.passed.as_mut().unwrap();
    passed[0].digest = Digest::from_bytes([1; 32]);
    assert_eq!(world.outcome("artifact"), GateOutcome::Refused, "the same version from another build");
    let mut elsewhere = World::strict();
    elsewhere.facts.passed.as_mut().unwrap()[0].environment = "dev".parse().unwrap();
    assert_eq!(elsewhere.outcome("artifact"), GateOutcome::Refused);
    elsewhere.policy(|policy| policy.artifact_from = Some(vec!["production".parse().unwrap()]));
    elsewhere.facts.passed.as_mut().unwrap()[0].environment = "production".parse().unwrap();
    assert_eq!(elsewhere.outcome("artifact"), GateOutcome::Refused, "itself is not before");
    elsewhere.policy(|policy| policy.artifact_from = Some(Vec::new()));
    assert_eq!(elsewhere.outcome("artifact"), GateOutcome::Refused, "nothing can satisfy it");
}

#[test]
fn any_of_the_environments_will_do() {
    let mut world = World::strict();
    let names = ["dev", "staging"].map(|name| name.parse().unwrap());
    world.policy(|policy| policy.artifact_from = Some(names.to_vec()));
    assert_eq!(world.outcome("artifact"), GateOutcome::Passed);
}

#[test]
fn the_way_back_of_this_very_artifact_was_rehearsed_elsewhere() {
    let mut world = World::strict();
    assert!(
        world
            .result("rehearsed")
            .finding
            .starts_with("rehearsed in `staging` at 2026-07-01T09:30:00Z: back in ")
    );
    world.facts.rehearsals.as_mut().unwrap()[0].environment = "production".parse().unwrap();
    assert_eq!(world.outcome("rehearsed"), GateOutcome::Refused);
    let mut other = World::strict();
    other.facts.rehearsals.as_mut().unwrap()[0].digest = Digest::from_bytes([1; 32]);
    assert_eq!(other.outcome("rehearsed"), GateOutcome::Refused);
    other.plan.request.stable = None;
    assert_eq!(other.outcome("rehearsed"), GateOutcome::Passed, "there is nothing to go back to");
}

#[test]
fn what_is_needed_serves_with_all_its_instances() {
    for (wanted, ready, expected) in [
        (0, 0, GateOutcome::Refused),
        (2, 0, GateOutcome::Waiting),
        (2, 1, GateOutcome::Waiting),
        (2, 2, GateOutcome::Passed),
        (2, 3, GateOutcome::Passed),
    ] {
        let mut world = World::strict();
        let dependency = &mut world.facts.dependencies.as_mut().unwrap()[0];
        (dependency.wanted, dependency.ready) = (wanted, ready);
        assert_eq!(world.outcome("dependencies"), expected, "{ready} of {wanted}");
    }
    let mut world = World::strict();
    world.facts.dependencies = Some(Vec::new());
    assert_eq!(world.result("dependencies").finding, "it needs no other service");
}

#[test]
fn the_error_budget_is_what_the_objective_leaves() {
    for (failing, expected) in [
        (0.0, GateOutcome::Passed),
        (0.000_9, GateOutcome::Passed),
        (0.000_95, GateOutcome::Waiting),
        (0.5, GateOutcome::Waiting),
        (f64::NAN, GateOutcome::Error),
        (-0.1, GateOutcome::Error),
        (1.1, GateOutcome::Error),
        (f64::INFINITY, GateOutcome::Error),
    ] {
        let mut world = World::strict();
        world.facts.failing = Known::Value(failing);
        assert_eq!(world.outcome("error-budget"), expected, "{failing}");
    }
    let mut exact = World::strict();
    exact.policy(|policy| policy.error_budget.as_mut().unwrap().least = 10_000);
    exact.facts.failing = Known::Value(0.0);
    assert_eq!(exact.outcome("error-budget"), GateOutcome::Passed, "all of it is left, as is asked for");
    let mut world = World::strict();
    assert_eq!(world.result("error-budget").finding, "50.0 % of the error budget of 99.9 % is left");
    world.facts.failing = Known::Unknown("Prometheus does not answer".to_owned());
    assert_eq!(world.outcome("error-budget"), GateOutcome::Error);
    world.policy(|policy| policy.error_budget.as_mut().unwrap().objective = 10_000);
    world.facts.failing = Known::Value(0.0);
    assert_ne!(world.outcome("error-budget"), GateOutcome::Passed, "no budget at all is none left");
}

#[test]
fn a_script_is_the_one_that_was_approved() {
    let script = |change: fn(&mut Script)| {
        let mut world = World::strict();
        change(&mut world.facts.scripts.as_mut().unwrap()[0]);
        world.result("scripts")
    };
    assert_eq!(script(|_| {}).outcome, GateOutcome::Passed);
    let changed = script(|script| script.digest = Ok(Digest::from_bytes([1; 32])));
    assert_eq!(changed.outcome, GateOutcome::Refused);
    assert_eq!(changed.finding, "script `smoke.sh` has changed since it was approved");
    assert_eq!(script(|script| script.approved = None).finding, "script `smoke.sh` is not approved");
    assert_eq!(script(|script| script.digest = Err("gone".to_owned())).outcome, GateOutcome::Error);
}

#[test]
fn conditions_that_deny_fail_or_are_not_there_do_not_hold() {
    let decide = |decision| {
        let mut world = World::strict();
        world.facts.conditions[0].decision = decision;
        world.outcome("conditions")
    };
    assert_eq!(decide(ConditionDecision::Allow), GateOutcome::Passed);
    assert_eq!(decide(ConditionDecision::Deny("too big".to_owned())), GateOutcome::Waiting);
    assert_eq!(decide(ConditionDecision::Error("no such key".to_owned())), GateOutcome::Error);
    let mut world = World::strict();
    world.policy(|policy| policy.conditions.push("another".parse().unwrap()));
    assert_eq!(world.outcome("conditions"), GateOutcome::Error);
}
