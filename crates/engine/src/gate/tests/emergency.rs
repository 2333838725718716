use pilotage_spec::Identity;

use super::world::{World, machine, person};
use super::*;
use crate::judge::Known;

fn commander(name: &str) -> Identity {
    Identity { roles: ["incident-commander".parse().unwrap()].into(), ..person(name) }
}

/// The world in which every gate that can be gone past is shut, and somebody declares an emergency.
fn declared(by: Identity, reason: &str) -> World {
    let mut world = World::strict();
    world.facts.windows[0].open = Ok(false);
    world.facts.statements.clear();
    world.facts.ticket = Known::NotAsked;
    world.facts.emergency = Some(Emergency { by, reason: reason.to_owned() });
    world
}

#[test]
fn who_may_goes_past_the_gates_that_the_policy_names_and_no_others() {
    let world = declared(commander("anna"), "checkout is down");
    for gate in ["window", "approvals"] {
        let result = world.result(gate);
        assert_eq!(result.outcome, GateOutcome::BrokenGlass);
        assert!(
            result.finding.starts_with("gone past in an emergency by anna: checkout is down (otherwise: "),
            "{}",
            result.finding
        );
    }
    assert_eq!(world.outcome("ticket"), GateOutcome::Refused, "the policy does not name it");
}

#[test]
fn who_may_not_does_not() {
    for (by, reason) in [
        (person("anna"), "checkout is down"),
        (Identity { roles: ["admin".parse().unwrap()].into(), ..person("anna") }, "checkout is down"),
        (
            Identity { roles: ["incident-commander".parse().unwrap()].into(), ..machine("bot") },
            "checkout is down",
        ),
        (commander("anna"), ""),
        (commander("anna"), " \t"),
    ] {
        let world = declared(by, reason);
        let result = world.result("window");
        assert_eq!(result.outcome, GateOutcome::Waiting);
        assert!(result.finding.contains("may not go past it (incident-commander may"), "{}", result.finding);
    }
}

#[test]
fn nobody_may_where_the_policy_says_nothing() {
    let mut world = declared(commander("anna"), "checkout is down");
    world.policy(|policy| policy.break_glass.roles.clear());
    assert_eq!(world.outcome("window"), GateOutcome::Waiting);
    world.policy(|policy| policy.break_glass.gates.clear());
    assert_eq!(world.outcome("window"), GateOutcome::Waiting);
}

#[test]
fn a_gate_that_passes_is_not_gone_past() {
    let mut world = World::strict();
    world.facts.emergency = Some(Emergency { by: commander("anna"), reason: "in a hurry".to_owned() });
    assert_eq!(world.outcome("window"), GateOutcome::Passed);
}
