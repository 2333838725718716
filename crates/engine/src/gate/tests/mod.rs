//! Gates one by one, and what holds for all of them.

mod approvals;
mod deletion;
mod emergency;
mod origin;
mod ticket;
mod wave;
mod window;
mod world;

use super::*;
use world::World;

#[test]
fn everything_in_order_passes_every_gate() {
    let world = World::strict();
    let results = check(&world.plan, &world.facts);
    let open: Vec<&GateResult> = results.iter().filter(|result| !result.outcome.lets_pass()).collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!(results.len(), all().len(), "the world asks for every gate");
}

#[test]
fn nothing_known_passes_no_gate_that_asks_for_something() {
    let world = World::strict();
    let results = check(&world.plan, &GateFacts::default());
    let passed: Vec<&str> = results
        .iter()
        .filter(|result| result.outcome.lets_pass())
        .map(|result| result.gate.as_str())
        .collect();
    assert_eq!(passed, ["gradual-rollout", "smoke"], "these two look at nothing but the plan");
}

#[test]
fn the_way_back_is_never_gated() {
    let mut world = World::strict();
    world.plan.request.purpose = Purpose::Restore;
    assert!(check(&world.plan, &GateFacts::default()).is_empty());
}

#[test]
fn ids_are_distinct_and_every_gate_has_words() {
    let mut ids: Vec<&str> = all().iter().map(|gate| gate.id()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all().len());
    assert!(all().iter().all(|gate| gate.purpose().contains("sked") || gate.id() == "sighted"));
    for gate in pilotage_spec::BreakableGate::WORDS {
        assert!(ids.contains(&gate.0), "{} is no gate", gate.0);
    }
}

#[test]
fn a_plan_of_another_policy_is_refused() {
    let mut world = World::strict();
    world.facts.policy.as_mut().unwrap().smoke = false;
    assert_eq!(world.outcome("plan-current"), GateOutcome::Refused);
    world.facts.policy = None;
    assert_eq!(world.outcome("plan-current"), GateOutcome::Error);
}

#[test]
fn a_plan_for_something_else_that_serves_is_refused() {
    let mut world = World::strict();
    world.facts.serving = Some(Serving::Nothing);
    assert_eq!(world.outcome("plan-current"), GateOutcome::Refused);
    world.facts.serving = Some(Serving::Release(world.plan.request.candidate.id.clone()));
    assert_eq!(world.outcome("plan-current"), GateOutcome::Refused);
    world.facts.serving = None;
    assert_eq!(world.outcome("plan-current"), GateOutcome::Error);
    world.plan.request.stable = None;
    world.facts.serving = Some(Serving::Release(world.plan.request.candidate.id.clone()));
    assert_eq!(world.outcome("plan-current"), GateOutcome::Refused, "the first deployment came too late");
    world.facts.serving = Some(Serving::Nothing);
    assert_eq!(world.outcome("plan-current"), GateOutcome::Passed);
}

#[test]
fn every_refusal_says_what_to_do() {
    let world = World::strict();
    for result in check(&world.plan, &GateFacts::default()) {
        if !result.outcome.lets_pass() {
            assert!(result.remedy.is_some_and(|remedy| !remedy.is_empty()), "{}", result.gate);
        }
    }
}
