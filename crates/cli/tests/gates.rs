//! Gates and deployments that wait for them, with the real binary.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod world;

use world::{PILOTAGE, World};

/// The sample service in `dev`, `staging` and `production`, with this policy for production.
fn project(production: &str) -> World {
    World::with(&format!(
        r#"project: world
services:
  api:
    run: ["{PILOTAGE}", sample-service, --config, service.json]
    artifact: releases/1.0.0
    health: {{ live: /health, ready: /ready, interval: 100ms }}
    replicas: 1
    start_timeout: 2s
    stop_grace: 2s
environments:
  dev: {{ strategy: quick }}
  staging: {{ strategy: quick, policy: {{ level: open }} }}
  production: {{ strategy: quick, policy: {production} }}
strategies:
  quick: {{ rolling: {{ watch: 100ms, soak: 100ms }}, roll_back_when: {{ min_requests: 20 }} }}
"#
    ))
}

fn deploy<'a>(environment: &'a str, version: &'a str, artifact: &'a str) -> Vec<&'a str> {
    vec!["deploy", "api", version, "--artifact", artifact, "--env", environment]
}

/// Asks again until the answer holds some words: what was said is looked at a moment later.
fn until(world: &World, command: &[&str], words: &str) -> String {
    let mut said = String::new();
    for _ in 0..400 {
        said = world.pilotage(command).stdout;
        if said.contains(words) {
            return said;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{words} is not in {said}");
}

#[test]
fn production_asks_for_everything_by_default() {
    let world = project("{}");
    let first = world.release("1.0.0", "");
    let said =
        world.pilotage(&["gates", "api", "1.0.0", "--artifact", &first, "--env", "production"]).expect(1);
    let of =
        |gate: &str| said.stdout.lines().find(|line| line.contains(&format!("`{gate}`"))).unwrap_or_default();
    for (gate, words) in [
        ("environment-confirmed", "refuses: nobody confirmed"),
        ("plan-current", "passes"),
        ("gradual-rollout", "passes: the first deployment replaces nothing"),
        ("smoke", "refuses: `api` has no smoke suite"),
        ("artifact", "refuses: 1.0.0 with this digest has not passed `staging`"),
        ("rehearsed", "passes: the first deployment has nothing to go back to"),
        ("dependencies", "passes"),
        ("ticket", "refuses: no change ticket was given"),
        ("approvals", "waits: 0 of 2 approvals"),
    ] {
        assert!(of(gate).contains(words), "{gate}: {}", said.stdout);
    }
    assert!(said.stderr.contains("hint: pilotage deploy api 1.0.0 --env staging"), "{}", said.stderr);
    let refused = world.pilotage(&deploy("production", "1.0.0", &first)).expect(1);
    assert!(refused.stdout.contains("`smoke` refuses"), "{}", refused.stdout);
    world.pilotage(&["down"]).expect(0);
}

#[test]
fn what_waits_holds_nothing_up_and_can_be_given_up() {
    let world = project("{ level: open }");
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.pilotage(&deploy("production", "1.0.0", &first)).expect(0);
    world.pilotage(&deploy("production", "1.1.0", &second)).expect(0);
    let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    world.write(
        "pilotage.yaml",
        &file.replace(
            "production: { strategy: quick, policy: { level: open } }",
            "production: { strategy: quick, policy: { level: open, approvals: 1 } }",
        ),
    );
    let third = world.release("1.2.0", "");
    let said = world.pilotage(&deploy("production", "1.2.0", &third)).expect(3);
    assert!(said.stdout.contains("d3 waits: production/api: 1.1.0 → 1.2.0"), "{}", said.stdout);
    let waiting = world.pilotage(&["approvals"]).expect(0).stdout;
    assert!(waiting.contains("d3: production/api 1.1.0 → 1.2.0"), "{waiting}");
    let status = world.pilotage(&["status", "--env", "production"]).expect(0).stdout;
    assert!(status.contains("waiting for its gates") && status.contains("pilotage gates d3"), "{status}");
    let busy = world.pilotage(&deploy("production", "1.2.0", &third)).expect(1);
    assert!(busy.stderr.contains("waits already"), "{}", busy.stderr);
    // Whoever asked cannot approve it.
    world.pilotage(&["approve", "d3", "--reason", "I am sure"]).expect(0);
    until(&world, &["gates", "d3"], "asked for the deployment");
    // The way back waits for nobody, and makes the plan that waits void.
    world.pilotage(&["rollback", "api", "--env", "production"]).expect(0);
    world.pilotage(&["approve", "d3"]);
    until(&world, &["explain", "d3"], "it was planned to replace 1.1.0, and 1.0.0 serves now");
    world.pilotage(&deploy("production", "1.2.0", &third)).expect(3);
    world.pilotage(&["abort", "d5", "--reason", "another day"]).expect(0);
    world.pilotage(&["down"]).expect(0);
    let audit = world.pilotage(&["audit", "--output", "json"]).expect(0).stdout;
    for event in ["deployment.approved", "deployment.approval_checked"] {
        assert!(audit.contains(event), "{event} in {audit}");
    }
}

#[test]
fn one_no_ends_what_waits_and_a_restart_does_not() {
    let world = project("{ level: open, approvals: 1 }");
    let first = world.release("1.0.0", "");
    world.pilotage(&deploy("production", "1.0.0", &first)).expect(3);
    let pid = world.server_pid();
    std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
    let waiting = world.pilotage(&["approvals"]).expect(0).stdout;
    assert!(waiting.contains("d1: production/api 1.0.0"), "{waiting}");
    world.pilotage(&["reject", "--reason", "not on a Friday"]).expect(0);
    let story = until(&world, &["explain", "d1"], "has rejected it: not on a Friday");
    assert!(story.contains("refused"), "{story}");
    until(&world, &["approvals"], "nothing waits");
    world.pilotage(&["down"]).expect(0);
}

#[test]
fn a_way_back_is_rehearsed_elsewhere_before_production_wants_it() {
    let world = project("{ level: open, rehearsed: true, artifact_from: staging }");
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    let nothing =
        world.pilotage(&["rehearse", "api", "1.0.0", "--artifact", &first, "--env", "staging"]).expect(1);
    assert!(nothing.stderr.contains("there is no earlier version to go back to"), "{}", nothing.stderr);
    world.pilotage(&deploy("staging", "1.0.0", &first)).expect(0);
    world.pilotage(&deploy("production", "1.0.0", &first)).expect(0);
    let early = world.pilotage(&deploy("production", "1.1.0", &second)).expect(1).stdout;
    assert!(
        early.contains("has not passed `staging`") && early.contains("never rehearsed elsewhere"),
        "{early}"
    );
    // Before it serves there: out and back.
    world.pilotage(&["rehearse", "api", "1.1.0", "--artifact", &second, "--env", "staging"]).expect(0);
    assert!(world.pilotage(&["status", "--env", "staging"]).expect(0).stdout.contains("1.0.0 "));
    world.pilotage(&deploy("staging", "1.1.0", &second)).expect(0);
    // And once it does: back and out.
    world.pilotage(&["rehearse", "api", "1.1.0", "--artifact", &second, "--env", "staging"]).expect(0);
    assert!(world.pilotage(&["status", "--env", "staging"]).expect(0).stdout.contains("1.1.0 "));
    let said = world.pilotage(&deploy("production", "1.1.0", &second)).expect(0).stdout;
    assert!(said.contains("`rehearsed` passes: rehearsed in `staging`"), "{said}");
    let audit = world.pilotage(&["audit", "--env", "staging", "--output", "json"]).expect(0).stdout;
    assert_eq!(audit.matches("workload.rehearsed").count(), 2, "{audit}");
    world.pilotage(&["down"]).expect(0);
}

#[test]
fn a_condition_of_the_teams_own_decides() {
    let world = project("{ level: open, conditions: [known-author] }");
    let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    let conditions = "conditions:\n  known-author: { when: \"facts.author != 'nobody' && plan.replicas < 3\", message: at most two instances }\n";
    world.write("pilotage.yaml", &format!("{file}{conditions}"));
    let first = world.release("1.0.0", "");
    world.pilotage(&deploy("production", "1.0.0", &first)).expect(0);
    let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    world.write("pilotage.yaml", &file.replace("replicas: 1", "replicas: 3"));
    let second = world.release("1.1.0", "");
    let said =
        world.pilotage(&["gates", "api", "1.1.0", "--artifact", &second, "--env", "production"]).expect(3);
    assert!(
        said.stdout.contains("condition `known-author` does not hold: at most two instances"),
        "{}",
        said.stdout
    );
    world.pilotage(&["down"]).expect(0);
}
