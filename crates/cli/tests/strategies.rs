//! Each strategy by the real binary, as its users and the people behind it meet it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod world;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use pilotage_engine::{Outcome, Phase};
use pilotage_load::{Load, LoadPlan};
use pilotage_views::{StepState, StepStatus};
use world::World;

const STAFF: &str = "X-Staff: yes\r\n";

/// The version that answers a request with these headers; `None` if nobody listens.
fn version_at(address: SocketAddr, headers: &str) -> Option<String> {
    let mut connection = TcpStream::connect(address).ok()?;
    let request = format!("GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{headers}\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    let line = answer.lines().find(|line| line.to_ascii_lowercase().starts_with("pilotage-version:"));
    Some(line.unwrap_or_else(|| panic!("{answer}")).split_once(": ").unwrap().1.to_owned())
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// 1.0.0 serves, and 1.1.0 is on its way until it waits for a person.
fn held(world: &World) -> SocketAddr {
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    world.pilotage(&["deploy", "api", "1.1.0", "--artifact", &second, "--detach"]).expect(0);
    let holding = |moving: &pilotage_views::MovingStatus| moving.phase == Phase::Holding;
    let status = world.until("the hold", |status| status.moving.as_ref().is_some_and(holding));
    assert_eq!(status.next_action.unwrap().command, "pilotage promote d2");
    status.address.unwrap()
}

fn ended(world: &World) -> (Outcome, String) {
    let last = world.until("the end", |status| status.moving.is_none()).last.unwrap();
    (last.outcome, last.version.to_string())
}

fn previewed(port: u16) -> World {
    let strategy = format!("blue-green: {{ preview: {port}, hold: true, watch: 100ms, soak: 0s }}");
    let world = World::sample(&strategy);
    let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    let smoke = "replicas: 1\n    smoke: [[./smoke, $URL, $VERSION]]";
    world.write("pilotage.yaml", &file.replace("replicas: 1", smoke));
    world.write_program("smoke", "#!/bin/sh\necho \"$1\" > \"smoked-$2\"\n", 0o755);
    world
}

#[test]
fn blue_green_is_seen_at_its_preview_before_a_person_switches_it() {
    let port = free_port();
    let preview = SocketAddr::from(([127, 0, 0, 1], port));
    let world = previewed(port);
    let address = held(&world);
    assert_eq!(version_at(address, "").unwrap(), "1.0.0");
    assert_eq!(version_at(preview, "").unwrap(), "1.1.0");
    let smoked = std::fs::read_to_string(world.root().join("smoked-1.1.0")).unwrap();
    assert_eq!(smoked.trim(), format!("http://{preview}"), "the smoke suite goes to the preview");
    let said = world.pilotage(&["status"]).expect(0).stdout;
    assert!(said.contains("waiting for a person to say `pilotage promote d2`"), "{said}");
    world.pilotage(&["promote"]).expect(0);
    assert_eq!(ended(&world), (Outcome::Succeeded, "1.1.0".to_owned()));
    assert_eq!(version_at(address, "").unwrap(), "1.1.0");
    assert_eq!(version_at(preview, ""), None, "the preview goes away at the switch");
}

#[test]
fn a_preview_goes_away_on_the_way_back() {
    let port = free_port();
    let world = previewed(port);
    let address = held(&world);
    world.pilotage(&["abort", "--reason", "not yet"]).expect(0);
    assert_eq!(ended(&world), (Outcome::Failed, "1.1.0".to_owned()));
    assert_eq!(version_at(SocketAddr::from(([127, 0, 0, 1], port)), ""), None);
    assert_eq!(version_at(address, "").unwrap(), "1.0.0");
}

#[test]
fn a_preview_that_has_no_port_is_refused_beforehand() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let world = previewed(port);
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    let said = world.deploy("1.1.0", &second).expect(1).stderr;
    assert!(said.contains(&format!("port {port} is in use by another program")), "{said}");
    assert!(said.contains("`preview` of the strategy"), "{said}");
    assert_eq!(world.serving(), "1.0.0");
}

#[test]
fn steps_of_the_teams_own_are_taken_one_by_one() {
    let world = World::sample(
        "steps: { list: [{ mirror: 50%, watch: 100ms }, { cohort: { name: staff, header: { name: X-Staff } }, \
         watch: 100ms }, { hold: true }, { share: 100%, watch: 100ms }], soak: 0s }",
    );
    let address = held(&world);
    assert_eq!(version_at(address, STAFF).unwrap(), "1.1.0");
    assert_eq!(version_at(address, "").unwrap(), "1.0.0");
    let story = world.pilotage(&["explain"]).expect(0).stdout;
    assert!(story.contains("route 100 % to 1.0.0, cohort staff to 1.1.0"), "{story}");
    world.pilotage(&["promote"]).expect(0);
    assert_eq!(ended(&world), (Outcome::Succeeded, "1.1.0".to_owned()));
    assert_eq!(version_at(address, "").unwrap(), "1.1.0");
}

#[test]
fn cohorts_get_it_ring_by_ring_and_are_taken_back_together() {
    let world = World::sample(
        "cohorts: { rings: [{ name: staff, header: { name: X-Staff }, watch: 100ms }, \
         { name: beta, cookie: { name: beta, equals: \"1\" }, watch: 1m }], soak: 0s }",
    );
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    world.pilotage(&["deploy", "api", "1.1.0", "--artifact", &second, "--detach"]).expect(0);
    let beta = |step: &StepStatus| step.state == StepState::Done && step.step.contains("cohort beta");
    let status = world.until("the ring", |status| {
        status.moving.as_ref().is_some_and(|moving| moving.steps.iter().any(beta))
    });
    let address = status.address.unwrap();
    let of = |headers: &str| version_at(address, headers).unwrap();
    let seen = (of(STAFF), of("Cookie: beta=1\r\n"), of("Cookie: beta=2\r\n"), of(""));
    let expected = ["1.1.0", "1.1.0", "1.0.0", "1.0.0"].map(str::to_owned);
    assert_eq!([seen.0, seen.1, seen.2, seen.3], expected);
    world.pilotage(&["abort"]).expect(0);
    assert_eq!(ended(&world), (Outcome::RolledBack, "1.1.0".to_owned()), "users have met it");
    assert_eq!(of(STAFF), "1.0.0");
}

#[test]
fn a_shadow_is_concluded_and_serves_nobody() {
    let world = World::sample("shadow: { share: 100%, watch: 300ms }");
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    let said = world.deploy("1.0.0", &first).expect(1).stderr;
    assert!(said.contains("nothing serves yet") && said.contains("--strategy blue-green"), "{said}");
    world.pilotage(&["deploy", "api", "1.0.0", "--artifact", &first, "--strategy", "rolling"]).expect(0);
    let said = world.deploy("1.1.0", &second).expect(0).stdout;
    assert!(said.contains("copies of 100 % to 1.1.0"), "{said}");
    assert!(said.contains("✓ d2 concluded"), "{said}");
    assert_eq!(world.serving(), "1.0.0");
    let history = world.pilotage(&["history"]).expect(0).stdout;
    assert!(history.contains("✓ concluded"), "{history}");
    let verified = world.pilotage(&["audit", "list", "--output", "json"]).expect(0).stdout;
    let conclusion = verified.lines().find(|line| line.contains("deployment.conclusion")).unwrap();
    assert!(conclusion.contains("\"rollback_triggered\":false"), "{conclusion}");
}

#[test]
fn a_fresh_baseline_comes_and_goes_with_the_canary_and_is_no_release() {
    let world = World::sample("canary: { steps: [40, 100], baseline: fresh, watch: 200ms, soak: 0s }");
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    let said = world.deploy("1.1.0", &second).expect(0).stdout;
    assert!(said.contains("route 40 % to 1.1.0, 40 % to 1.0.0+baseline, 20 % to 1.0.0"), "{said}");
    let there: Vec<String> =
        world.status().serving.iter().map(|serving| serving.version.to_string()).collect();
    assert_eq!(there, ["1.1.0"], "the copy is gone");
    let said = world.pilotage(&["rollback", "api", "--to", "1.0.0+baseline"]).expect(1).stderr;
    assert!(said.contains("has never served there"), "{said}");
    world.pilotage(&["rollback", "api"]).expect(0);
    assert_eq!(world.serving(), "1.0.0");
}

#[test]
fn a_shadow_that_answers_otherwise_fails_and_no_user_has_met_it() {
    let world = World::sample("shadow: { share: 100%, watch: 1m, compare: { bodies: false } }");
    let (good, bad) = (world.release("1.0.0", ""), world.release("1.1.0", "\"error_rate\": 0.5,"));
    world.pilotage(&["deploy", "api", "1.0.0", "--artifact", &good, "--strategy", "rolling"]).expect(0);
    let users = Load::start(LoadPlan::open(world.status().address.unwrap(), 150.0)).unwrap();
    let said = world.deploy("1.1.0", &bad).expect(1).stdout;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let report = runtime.block_on(users.stop()).unwrap();
    assert!(said.contains("copies of requests that only read had another status on 1.1.0"), "{said}");
    assert!(said.contains("✗ d2 failed"), "{said}");
    let met = report.versions.keys().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(met, ["1.0.0"], "users got the stable version's answers alone");
}

/// Triggers that leave it to the A/B test what becomes of failing requests.
const UNGUARDED: &str = "error_rate: off, errors_vs_stable: off, min_requests: 20";

/// 1.0.0 serves under load, and 1.1.0 is compared with it until the end. Settings of the sample service for both.
fn compared(ab: &str, a: &str, b: &str) -> (World, String) {
    let world = World::sample(&format!("ab: {{ arm: {{ share: 50% }}, {ab} }}"));
    let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    world.write("pilotage.yaml", &file.replace("min_requests: 20", UNGUARDED));
    let (first, second) = (world.release("1.0.0", a), world.release("1.1.0", b));
    world.pilotage(&["deploy", "api", "1.0.0", "--artifact", &first, "--strategy", "rolling"]).expect(0);
    let users = Load::start(LoadPlan::open(world.status().address.unwrap(), 200.0)).unwrap();
    let said = world.deploy("1.1.0", &second).expect(0).stdout;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(users.stop()).unwrap();
    (world, said)
}

#[test]
fn an_ab_test_ends_early_with_the_better_version_and_says_by_how_much() {
    let (world, said) = compared("for: 10m", "", "\"error_rate\": 0.2,");
    assert!(said.contains("A/B: 1.1.0 fails ") && said.contains(": 1.0.0 wins"), "{said}");
    assert!(said.contains("✓ d2 concluded"), "{said}");
    assert_eq!(world.serving(), "1.0.0");
    let (outcome, reason) = {
        let last = world.status().last.unwrap();
        (last.outcome, last.reason.unwrap())
    };
    assert_eq!(outcome, Outcome::Concluded);
    assert!(reason.starts_with("A/B: 1.1.0 fails ") && reason.ends_with(": 1.0.0 wins"), "{reason}");
    for command in
        [&["explain"][..], &["audit", "list", "--output", "json"], &["history", "--output", "json"]]
    {
        let told = world.pilotage(command).expect(0).stdout;
        assert!(told.contains(&reason), "{command:?}: {told}");
    }
}

#[test]
fn an_ab_test_of_equals_ends_with_its_time() {
    let (world, said) = compared("for: 3s, promote: winner", "", "");
    assert!(said.contains("A/B: inconclusive after 3s: "), "{said}");
    assert_eq!(ended(&world), (Outcome::Concluded, "1.1.0".to_owned()));
    assert_eq!(world.serving(), "1.0.0");
}

#[test]
fn a_winner_of_an_ab_test_gets_everything_where_that_was_asked_for() {
    let ab = "for: 10m, promote: winner, watch: 200ms, soak: 0s";
    let (world, said) = compared(ab, "\"error_rate\": 0.3,", "");
    assert!(said.contains(": 1.1.0 wins"), "{said}");
    assert_eq!(ended(&world), (Outcome::Succeeded, "1.1.0".to_owned()));
    assert_eq!(world.serving(), "1.1.0");
    let story = world.pilotage(&["explain"]).expect(0).stdout;
    assert!(story.contains("the new version has won the trial"), "{story}");
}
