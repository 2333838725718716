//! Deployments by the real binary: forward, back, refused and in each other's way.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use std::net::TcpListener;
use std::time::Duration;

use pilotage_engine::{Outcome, Phase};
use pilotage_load::{Load, LoadHandle, LoadPlan};
use world::World;

const QUICK: &str = "blue-green: { watch: 100ms, soak: 0s }";
const SLOW: &str = "canary: { steps: [50, 100], watch: 1m, soak: 1m }";

fn load(world: &World) -> LoadHandle {
    Load::start(LoadPlan::open(world.status().address.unwrap(), 150.0)).unwrap()
}

#[test]
fn a_service_goes_forward_and_back() {
    let world = World::sample(QUICK);
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    let said = world.deploy("1.0.0", &first).expect(0);
    assert!(said.stderr.contains("started the server in the background"), "{}", said.stderr);
    assert!(said.stdout.contains("✓ d1 succeeded"), "{}", said.stdout);
    let said = world.deploy("v1.1.0", &second).expect(0);
    assert!(said.stdout.contains("dev/api: 1.0.0 → 1.1.0 by quick"), "{}", said.stdout);
    assert_eq!(said.stderr, "", "a running server is nothing to speak of");
    let status = world.pilotage(&["status"]).expect(0).stdout;
    assert!(status.contains("✓ dev/api  1.1.0      1/1 ready  http://127.0.0.1:"), "{status}");
    assert!(status.contains("never deployed: production/api"), "{status}");
    world.pilotage(&["rollback", "api"]).expect(0);
    assert_eq!(world.serving(), "1.0.0");
    world.pilotage(&["rollback", "api", "--to", "1.1.0", "--reason", "it was fine"]).expect(0);
    assert_eq!(world.serving(), "1.1.0");
    let said = world.pilotage(&["rollback", "api", "--to", "9.9.9"]).expect(1);
    assert!(said.stderr.contains("9.9.9 has never served there"), "{}", said.stderr);
    let history = world.pilotage(&["history"]).expect(0).stdout;
    assert_eq!(history.lines().filter(|line| line.contains("✓ succeeded")).count(), 4, "{history}");
    let logs = world.pilotage(&["logs", "api"]).expect(0).stdout;
    assert!(logs.contains("sample service listening on"), "{logs}");
    let said = world.pilotage(&["logs", "api", "--version", "9.9.9"]).expect(64);
    assert!(said.stderr.contains("9.9.9 of dev/api never ran"), "{}", said.stderr);
    let verified = world.pilotage(&["audit", "verify"]).expect(0).stdout;
    assert!(verified.starts_with("✓ verified: "), "{verified}");
}

#[test]
fn a_bad_canary_comes_back_by_itself() {
    let world = World::sample("canary: { steps: [50, 100], watch: 20s, soak: 1s }");
    let (good, bad) = (world.release("1.0.0", ""), world.release("1.1.0", "\"error_rate\": 0.5,"));
    world.deploy("1.0.0", &good).expect(0);
    let users = load(&world);
    let said = world.deploy("1.1.0", &bad).expect(2);
    drop(users);
    assert!(said.stdout.contains("verdict fail"), "{}", said.stdout);
    assert!(said.stdout.contains("↩ d2 rolled back"), "{}", said.stdout);
    assert_eq!(said.stderr.lines().last(), Some("hint: pilotage explain d2"));
    assert_eq!(world.serving(), "1.0.0");
    let status = world.status();
    assert_eq!(status.last.unwrap().outcome, Outcome::RolledBack);
    assert_eq!(status.next_action.unwrap().command, "pilotage explain d2");
    let story = world.pilotage(&["explain"]).expect(0).stdout;
    assert!(story.contains("because production disagreed: "), "{story}");
    assert!(story.contains("errors_vs_stable (fail)") || story.contains("error_rate (fail)"), "{story}");
    let audit = world.pilotage(&["audit", "list", "--env", "dev", "--output", "json"]).expect(0).stdout;
    let lines: Vec<serde_json::Value> =
        audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let back = lines.iter().find(|line| line["event"] == "deployment.rollback").unwrap();
    assert_eq!((back["version"].as_str(), back["rollback_triggered"].as_bool()), (Some("1.1.0"), Some(true)));
}

#[test]
fn the_second_deployment_of_a_service_learns_who_holds_it() {
    let world = World::sample(SLOW);
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    world.pilotage(&["deploy", "api", "1.1.0", "--artifact", &second, "--detach"]).expect(0);
    let said = world.deploy("1.1.0", &second).expect(1);
    let user = world.status().moving.unwrap().started_by;
    let held = format!("error: dev/api is being moved by d2, which {user} started at 2");
    assert!(said.stderr.contains(&held), "{}", said.stderr);
    assert!(said.stderr.contains("pilotage abort d2"), "{}", said.stderr);
    let said = world.pilotage(&["down"]).expect(1);
    assert!(said.stderr.contains("dev/api is being moved by d2: nothing was stopped"), "{}", said.stderr);
}

#[test]
fn rollbacks_at_once_are_answered_clearly() {
    let world = World::sample(QUICK);
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    world.deploy("1.1.0", &second).expect(0);
    let started: Vec<_> = (0..4).map(|_| world.start(&["rollback", "api", "--detach"])).collect();
    let said: Vec<_> = started.into_iter().map(world::wait).collect();
    assert!(said.iter().any(|said| said.code == Some(0)), "{said:#?}");
    for refused in said.iter().filter(|said| said.code != Some(0)) {
        let words = &refused.stderr;
        // The last one is said to whoever comes after another has ended.
        let clear = ["is being moved by d", "try again", "there is no earlier version to go back to"];
        assert!(clear.iter().any(|clear| words.contains(clear)), "{words}");
    }
    let status = world.until("the end", |status| status.moving.is_none());
    assert_eq!(status.last.unwrap().outcome, Outcome::Succeeded);
}

#[test]
fn a_deployment_can_be_paused_resumed_promoted_and_taken_back() {
    let world = World::sample(SLOW);
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    let said =
        world.pilotage(&["deploy", "api", "1.1.0", "--artifact", &second, "--timeout", "1s"]).expect(4);
    assert!(
        said.stderr.contains("d2 is not over yet") && said.stderr.contains("hint: pilotage status --watch")
    );
    world.until("the first watch", |status| shares(status) == [5_000, 5_000]);
    world.pilotage(&["pause"]).expect(0);
    assert_eq!(world.status().moving.unwrap().phase, Phase::Paused);
    let said = world.pilotage(&["pause", "d1"]).expect(1);
    assert!(said.stderr.contains("d1 has ended already"), "{}", said.stderr);
    let status = world.pilotage(&["status"]).expect(0).stdout;
    assert!(status.contains("next: pilotage resume d2"), "{status}");
    world.pilotage(&["resume", "d2"]).expect(0);
    world.pilotage(&["promote"]).expect(0);
    world.until("the next share", |status| shares(status) == [10_000]);
    world.pilotage(&["abort", "--reason", "second thoughts"]).expect(0);
    let status = world.until("the way back", |status| status.moving.is_none());
    assert_eq!(status.version.unwrap().to_string(), "1.0.0");
    assert_eq!(status.last.unwrap().reason.unwrap(), "second thoughts");
    let said = world.pilotage(&["abort"]).expect(1);
    assert!(said.stderr.contains("no deployment is under way"), "{}", said.stderr);
}

fn shares(status: &pilotage_views::WorkloadStatus) -> Vec<u32> {
    status.serving.iter().map(|serving| serving.share).filter(|share| *share > 0).collect()
}

#[test]
fn ctrl_c_detaches_and_the_deployment_goes_on() {
    let world = World::sample("blue-green: { watch: 1s, soak: 1s }");
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    let following = world.start(&["deploy", "api", "1.1.0", "--artifact", &second]);
    world.until("the deployment", |status| status.moving.is_some());
    let pid = rustix::process::Pid::from_child(&following);
    // Until the signal is listened for, it would end the command in another way.
    std::thread::sleep(Duration::from_millis(300));
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let said = world::wait(following).expect(0);
    assert!(said.stderr.contains("detached; d2 goes on\nhint: pilotage status --watch"), "{}", said.stderr);
    world.until("the end", |status| {
        status.version.as_ref().is_some_and(|version| version.to_string() == "1.1.0")
    });
}

#[test]
fn production_wants_its_name() {
    let world = World::sample(QUICK);
    let first = world.release("1.0.0", "");
    let to_production = ["deploy", "api", "1.0.0", "--artifact", &first, "--env", "production"];
    let said = world.pilotage(&to_production).expect(1);
    assert!(said.stdout.contains("✗ gate `environment-confirmed` refuses"), "{}", said.stdout);
    assert!(said.stderr.contains("hint: pass --confirm production"), "{}", said.stderr);
    let mut confirmed = to_production.to_vec();
    confirmed.extend(["--confirm", "dev"]);
    let said = world.pilotage(&confirmed).expect(1);
    assert!(
        said.stdout.contains("`dev` was confirmed, but the plan goes to `production`"),
        "{}",
        said.stdout
    );
    confirmed[8] = "production";
    world.pilotage(&confirmed).expect(0);
}

#[test]
fn a_plan_shows_everything_and_moves_nothing() {
    let world = World::sample("canary: { steps: [10, 100], watch: 5m, soak: 15m }");
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    let plan = ["plan", "api", "1.1.0", "--artifact", &second, "--env", "dev"];
    let said = world.pilotage(&plan).expect(0);
    assert!(said.stdout.contains("the edge sees no requests now"), "{}", said.stdout);
    let said = world.pilotage(&[&plan[..], &["--rps", "20", "--errors", "0.1%"]].concat()).expect(0);
    let plan: Vec<&str> = said.stdout.lines().filter(|line| !line.contains("artifact ")).collect();
    let address = world.status().address.unwrap().to_string();
    insta::assert_snapshot!(plan.join("\n").replace(&address, "[ADDRESS]"));
    assert_eq!(world.serving(), "1.0.0");
    let history = world.pilotage(&["history"]).expect(0).stdout;
    assert_eq!(history.lines().count(), 1, "{history}");
}

#[test]
fn a_version_never_changes() {
    let world = World::sample(QUICK);
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    let said = world.deploy("1.0.0", &second).expect(1);
    assert!(
        said.stderr.contains("a version never changes; give the new build a new version"),
        "{}",
        said.stderr
    );
}

#[test]
fn programs_get_audit_lines() {
    let world = World::sample(QUICK);
    let first = world.release("1.0.0", "");
    let said = world
        .pilotage(&["deploy", "api", "1.0.0", "--artifact", &first, "--output", "json", "--quiet"])
        .expect(0);
    let lines: Vec<serde_json::Value> =
        said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.first().unwrap()["event"], "deployment.started");
    let last = lines.last().unwrap();
    assert_eq!(
        (last["event"].as_str(), last["outcome"].as_str()),
        (Some("deployment.completed"), Some("succeeded"))
    );
    assert!(last["command"].as_str().unwrap().starts_with("pilotage deploy api 1.0.0 --artifact "), "{last}");
    assert_eq!(said.stderr, "");
}

#[test]
fn a_quiet_deployment_says_its_result() {
    let world = World::sample(QUICK);
    let first = world.release("1.0.0", "");
    let said = world.pilotage(&["--quiet", "deploy", "api", "1.0.0", "--artifact", &first]).expect(0);
    assert_eq!((said.stdout.lines().count(), said.stderr.as_str()), (1, ""), "{}", said.stdout);
    assert!(said.stdout.starts_with("✓ d1 succeeded"), "{}", said.stdout);
}

#[test]
fn an_address_that_moves_is_told_before_it_does() {
    let world = World::sample(QUICK);
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    let before = world.status().address.unwrap();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    let port = format!("replicas: 1\n    port: {}", free.port());
    let file = file
        .replace("replicas: 1", &port)
        .lines()
        .filter(|line| !line.starts_with("  production: "))
        .collect::<Vec<_>>()
        .join("\n");
    world.write("pilotage.yaml", &file);
    let moves = format!("the address moves at the complete switch, from {before} to http://{free}");
    let planned = world.pilotage(&["plan", "api", "1.1.0", "--artifact", &second]).expect(0).stdout;
    assert!(planned.contains(&moves), "{planned}");
    let said = world.deploy("1.1.0", &second).expect(0).stdout;
    assert!(said.contains(&moves), "{said}");
    assert_eq!(world.status().address, Some(free));
}
