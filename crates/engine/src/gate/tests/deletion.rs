//! Whatever is missing of what gates go by, no refusal becomes a pass.

use serde_json::Value;

use super::world::{NOW, World, person};
use super::*;
use crate::Opinion;
use crate::judge::Known;

/// The facts without one of their fields or items, for each of these at any depth; those that no longer are facts are left out.
fn with_one_less(facts: &GateFacts) -> Vec<(String, GateFacts)> {
    let whole = serde_json::to_value(facts).unwrap();
    let mut paths = Vec::new();
    collect(&whole, String::new(), &mut paths);
    let read = |path: String| {
        let mut less = whole.clone();
        remove(&mut less, &path);
        Some((path, serde_json::from_value(less).ok()?))
    };
    paths.into_iter().filter_map(read).collect()
}

fn collect(value: &Value, path: String, paths: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        let path = format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
        paths.push(path.clone());
        collect(child, path, paths);
    }
}

fn remove(value: &mut Value, path: &str) {
    let (parent, name) = path.rsplit_once('/').unwrap();
    match value.pointer_mut(parent).unwrap() {
        Value::Object(fields) => drop(fields.remove(&name.replace("~1", "/").replace("~0", "~"))),
        Value::Array(items) => drop(items.remove(name.parse().unwrap())),
        _ => unreachable!(),
    }
}

type Change = Box<dyn Fn(&mut World)>;

/// Worlds in which each gate refuses, waits or cannot tell, in every way that the other tests know.
fn refusing() -> Vec<(&'static str, World)> {
    let ticket = |change: fn(&mut TicketFact)| {
        move |world: &mut World| {
            let Known::Value(ticket) = &mut world.facts.ticket else { panic!() };
            change(ticket);
        }
    };
    let changes: Vec<(&'static str, Change)> = vec![
        ("environment-confirmed", Box::new(|world| world.facts.confirmation = Some("dev".to_owned()))),
        ("plan-current", Box::new(|world| world.facts.policy.as_mut().unwrap().smoke = false)),
        (
            "gradual-rollout",
            Box::new(|world| world.plan.request.strategy.kind = pilotage_spec::StrategyKind::Recreate),
        ),
        ("sighted", Box::new(|world| world.facts.traffic.as_mut().unwrap().requests_per_second = 0.01)),
        ("smoke", Box::new(|world| world.plan.request.candidate.instance.smoke.clear())),
        ("scripts", Box::new(|world| world.facts.scripts.as_mut().unwrap()[0].approved = None)),
        (
            "artifact",
            Box::new(|world| world.facts.passed.as_mut().unwrap()[0].environment = "dev".parse().unwrap()),
        ),
        ("wave", Box::new(|world| world.facts.earlier[0].state = EarlierState::NotYet)),
        ("wave", Box::new(|world| world.facts.earlier[0].state = EarlierState::TakenBack)),
        (
            "rehearsed",
            Box::new(|world| {
                world.facts.rehearsals.as_mut().unwrap()[0].environment = "production".parse().unwrap()
            }),
        ),
        (
            "dependencies",
            Box::new(|world| {
                world.facts.dependencies.as_mut().unwrap()[0].ready = 1;
                world.facts.dependencies.as_mut().unwrap()[0].troubles.push("out of memory".to_owned());
            }),
        ),
        ("error-budget", Box::new(|world| world.facts.failing = Known::Value(0.5))),
        ("error-budget", Box::new(|world| world.facts.failing = Known::Unknown("down".to_owned()))),
        (
            "conditions",
            Box::new(|world| world.facts.conditions[0].decision = ConditionDecision::Deny("no".to_owned())),
        ),
        ("ticket", Box::new(ticket(|ticket| ticket.approved = false))),
        ("ticket", Box::new(ticket(|ticket| ticket.conflict = Conflict::With("CHG-1".to_owned())))),
        ("ticket", Box::new(ticket(|ticket| ticket.services = Some(vec!["web".to_owned()])))),
        ("ticket", Box::new(ticket(|ticket| ticket.environments = Some(vec!["dev".to_owned()])))),
        (
            "ticket",
            Box::new(ticket(|ticket| {
                ticket.planned = Planned::Within { from: NOW.shifted(5), to: NOW.shifted(6) };
            })),
        ),
        ("approvals", Box::new(|world| drop(world.facts.statements.pop()))),
        ("approvals", Box::new(|world| world.say(Opinion::Reject, person("gerd")))),
        ("approvals", Box::new(|world| world.facts.author = Some(person("bert")))),
        (
            "approvals",
            Box::new(|world| {
                world.facts.statements[0].by.vouched_by = Some("anna".parse().unwrap());
            }),
        ),
        (
            "approvals",
            Box::new(|world| {
                world.facts.requester.as_mut().unwrap().person = Some("carla".parse().unwrap());
            }),
        ),
        ("approvals", Box::new(|world| world.facts.now = Some(NOW.shifted(-1)))),
        ("window", Box::new(|world| world.facts.windows[0].open = Ok(false))),
        ("window", Box::new(|world| world.facts.windows[0].open = Err("unreadable".to_owned()))),
    ];
    let build = |(gate, change): (&'static str, Change)| {
        let mut world = World::strict();
        change(&mut world);
        (gate, world)
    };
    changes.into_iter().map(build).collect()
}

#[test]
fn every_gate_has_a_world_in_which_it_does_not_pass() {
    for gate in all() {
        assert!(refusing().iter().any(|(refusing, _)| *refusing == gate.id()), "{}", gate.id());
    }
    for (gate, world) in refusing() {
        assert!(!world.outcome(gate).lets_pass(), "{gate}");
    }
}

/// Lists that are known as a whole or not at all: an item less is another world, not a missing fact.
fn is_another_world(path: &str) -> bool {
    let whole = ["/statements/", "/scripts/", "/dependencies/"];
    whole.iter().any(|list| path.strip_prefix(list).is_some_and(|item| !item.contains('/')))
}

#[test]
fn no_fact_that_is_missing_turns_a_refusal_into_a_pass() {
    let mut tried = 0;
    for (gate, world) in refusing() {
        for (path, facts) in with_one_less(&world.facts) {
            if is_another_world(&path) {
                continue;
            }
            // It looks at nothing but the traffic, and takes long to do so.
            if gate == "sighted" && !path.starts_with("/traffic") {
                continue;
            }
            tried += 1;
            let result = world.with(gate, &facts);
            assert!(!result.outcome.lets_pass(), "{gate} passes without {path}: {}", result.finding);
        }
    }
    assert!(tried > 1_000, "{tried} facts were left out");
}
