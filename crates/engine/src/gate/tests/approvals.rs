use std::time::Duration;

use pilotage_spec::{Digest, Identity, PrincipalKind};

use super::world::{NOW, World, machine, person};
use super::*;
use crate::Opinion;

/// The world in which nobody has said anything yet.
fn silent() -> World {
    let mut world = World::strict();
    world.facts.statements.clear();
    world
}

fn approver(world: &World, name: &str) -> Identity {
    world.facts.approvers.iter().find(|approver| approver.principal.as_str() == name).unwrap().clone()
}

/// What the gate says once these have approved.
fn with(names: &[&str]) -> GateResult {
    let mut world = silent();
    for name in names {
        let by = approver(&world, name);
        world.say(Opinion::Approve, by);
    }
    world.result("approvals")
}

#[test]
fn two_others_are_needed_and_one_of_them_from_the_group() {
    assert_eq!(with(&["bert", "carla"]).outcome, GateOutcome::Passed);
    assert_eq!(with(&["bert", "emil"]).outcome, GateOutcome::Passed);
    for (names, words) in [
        (&[][..], "0 of 2 approvals, none of sre"),
        (&["bert"], "1 of 2 approvals"),
        (&["bert", "bert"], "1 of 2 approvals"),
        (&["bert", "anna"], "1 of 2 approvals (not counted: anna: asked for the deployment)"),
        (&["bert", "dora"], "1 of 2 approvals (not counted: dora: is the author of the release)"),
    ] {
        let result = with(names);
        assert_eq!((result.outcome, result.finding.as_str()), (GateOutcome::Waiting, words));
    }
}

#[test]
fn a_group_is_not_made_up_for_by_numbers() {
    let mut world = silent();
    for name in ["gerd", "hanna", "ida"] {
        world.facts.approvers.push(person(name));
        world.say(Opinion::Approve, person(name));
    }
    let result = world.result("approvals");
    assert_eq!(result.outcome, GateOutcome::Waiting);
    assert!(result.finding.starts_with("3 of 2 approvals, none of sre"), "{}", result.finding);
    assert_eq!(result.remedy.unwrap().split(';').next(), Some("ask bert, emil"));
}

#[test]
fn who_can_give_what_is_missing_is_named() {
    let remedy = with(&["bert"]).remedy.unwrap();
    assert!(remedy.starts_with("ask carla, emil; they run `pilotage approve`"), "{remedy}");
    let mut alone = silent();
    alone.facts.approvers.retain(|approver| approver.principal.as_str() == "anna");
    assert!(alone.result("approvals").remedy.unwrap().starts_with("nobody who is known here"));
}

#[test]
fn two_accounts_of_one_person_are_one() {
    let mut world = silent();
    let second = Identity { principal: "bert@shop.example".parse().unwrap(), ..approver(&world, "bert") };
    world.facts.approvers.push(second.clone());
    let bert = approver(&world, "bert");
    world.say(Opinion::Approve, bert);
    world.say(Opinion::Approve, second);
    assert_eq!(world.result("approvals").finding, "1 of 2 approvals");
}

#[test]
fn the_author_under_a_second_account_is_the_author_even_if_that_is_found_out_later() {
    let mut world = silent();
    world.say(Opinion::Approve, person("d-mueller"));
    let bert = approver(&world, "bert");
    world.say(Opinion::Approve, bert);
    world.facts.approvers.push(person("d-mueller"));
    assert_eq!(world.outcome("approvals"), GateOutcome::Passed, "as long as nobody knows");
    let linked = world.facts.approvers.last_mut().unwrap();
    linked.person = Some("dora".parse().unwrap());
    let result = world.result("approvals");
    assert!(result.finding.contains("d-mueller: is the author of the release"), "{}", result.finding);
}

#[test]
fn a_credential_that_the_author_has_issued_speaks_for_the_author() {
    for issuer in ["anna", "dora"] {
        let mut world = silent();
        let (bert, carla) = (approver(&world, "bert"), approver(&world, "carla"));
        world.say(Opinion::Approve, bert);
        world.say(Opinion::Approve, Identity { vouched_by: Some(issuer.parse().unwrap()), ..carla });
        assert_eq!(world.outcome("approvals"), GateOutcome::Waiting, "{issuer}");
    }
}

#[test]
fn machines_and_agents_approve_nothing() {
    for kind in [PrincipalKind::Machine, PrincipalKind::Agent] {
        let mut world = silent();
        let bert = approver(&world, "bert");
        let program = Identity { kind, person: Some("gerd".parse().unwrap()), ..machine("robot") };
        world.facts.approvers.push(program.clone());
        world.say(Opinion::Approve, bert);
        world.say(Opinion::Approve, program);
        assert_eq!(
            world.result("approvals").finding,
            "1 of 2 approvals (not counted: robot (gerd): is no person)"
        );
        world.say(Opinion::Reject, machine("another"));
        assert_eq!(world.outcome("approvals"), GateOutcome::Refused, "but a no is a no");
    }
}

#[test]
fn an_approval_of_another_plan_counts_for_nothing() {
    let mut world = World::strict();
    world.facts.statements[0].plan_hash = Digest::from_bytes([1; 32]);
    assert_eq!(world.outcome("approvals"), GateOutcome::Waiting);
    let mut changed = World::strict();
    changed.plan.request.replicas += 1;
    assert_eq!(changed.result("approvals").finding, "0 of 2 approvals, none of sre", "the plan has changed");
}

#[test]
fn an_approval_expires_to_the_second() {
    let mut world = World::strict();
    world.facts.now = Some(NOW.plus(Duration::from_secs(24 * 60 * 60)));
    assert_eq!(world.outcome("approvals"), GateOutcome::Passed);
    world.facts.now = Some(NOW.plus(Duration::from_micros(24 * 60 * 60 * 1_000_000 + 1)));
    let result = world.result("approvals");
    assert_eq!(result.outcome, GateOutcome::Waiting);
    assert!(result.finding.contains("bert: expired at 2026-07-02T09:30:00Z"), "{}", result.finding);
}

#[test]
fn a_clock_that_is_set_back_makes_no_approval_younger() {
    let mut world = World::strict();
    world.facts.now = Some(NOW.shifted(-1));
    assert_eq!(world.outcome("approvals"), GateOutcome::Waiting);
}

#[test]
fn one_no_is_enough_and_can_be_taken_back() {
    let mut world = World::strict();
    world.say(Opinion::Reject, person("gerd"));
    let result = world.result("approvals");
    assert_eq!((result.outcome, result.finding.as_str()), (GateOutcome::Refused, "gerd has rejected it"));
    world.say(Opinion::Withdraw, person("gerd"));
    assert_eq!(world.outcome("approvals"), GateOutcome::Passed);
    let bert = approver(&world, "bert");
    world.say(Opinion::Withdraw, bert);
    assert_eq!(world.outcome("approvals"), GateOutcome::Waiting);
}

#[test]
fn the_last_word_of_a_person_counts() {
    let mut world = World::strict();
    let bert = approver(&world, "bert");
    world.say(Opinion::Reject, bert.clone());
    assert_eq!(world.outcome("approvals"), GateOutcome::Refused);
    world.say(Opinion::Approve, bert);
    assert_eq!(world.outcome("approvals"), GateOutcome::Passed);
}

#[test]
fn who_may_not_approve_any_more_has_not_approved() {
    let mut world = World::strict();
    world.facts.approvers.retain(|approver| approver.principal.as_str() != "carla");
    let result = world.result("approvals");
    assert!(result.finding.contains("carla: may not approve here"), "{}", result.finding);
}

#[test]
fn groups_are_those_of_today() {
    let mut world = World::strict();
    for approver in &mut world.facts.approvers {
        approver.groups.clear();
    }
    assert_eq!(world.result("approvals").finding, "2 of 2 approvals, none of sre");
}

#[test]
fn without_time_or_parties_nobody_can_tell() {
    for forget in [
        (|facts: &mut GateFacts| facts.now = None) as fn(&mut GateFacts),
        |facts| facts.requester = None,
        |facts| facts.author = None,
    ] {
        let mut world = World::strict();
        forget(&mut world.facts);
        assert_eq!(world.outcome("approvals"), GateOutcome::Error);
    }
}

#[test]
fn what_counts_is_told_as_evidence() {
    let mut world = World::strict();
    world.facts.statements[0].reason = Some("looked at the diff".to_owned());
    let result = world.result("approvals");
    assert_eq!(result.finding, "approved by bert, carla");
    assert_eq!(result.evidence["bert"], "approved at 2026-07-01T09:30:00Z: looked at the diff");
}

#[test]
fn an_account_behind_which_nobody_is_known_approves_nothing() {
    let mut world = silent();
    let bert = approver(&world, "bert");
    let nobody = Identity { person: None, ..person("account") };
    world.facts.approvers.push(nobody.clone());
    world.say(Opinion::Approve, bert);
    world.say(Opinion::Approve, nobody);
    assert_eq!(world.result("approvals").finding, "1 of 2 approvals (not counted: account: is no person)");
}
