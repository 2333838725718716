//! The server's life: started when needed, killed and started again, one for each state folder.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod world;

use std::fs;

use pilotage_journal::{Event, Journal};
use pilotage_server::{ClientError, ErrorKind};
use rustix::process::{Pid, Signal, kill_process};
use world::{World, wait};

const QUICK: &str = "blue-green: { watch: 100ms, soak: 0s }";

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
fn a_killed_server_is_started_again_and_the_deployment_goes_on() {
    let world = World::sample("blue-green: { watch: 1s, soak: 500ms }");
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    let following = world.start(&["deploy", "api", "1.1.0", "--artifact", &second]);
    world.until("the watch", |status| {
        status.moving.as_ref().is_some_and(|moving| moving.activity == "watching")
    });
    signal(world.server_pid(), Signal::KILL);
    let said = wait(following).expect(0);
    assert!(said.stderr.contains("the server has gone away\nstarted the server"), "{}", said.stderr);
    assert!(said.stdout.contains("✓ d2 succeeded"), "{}", said.stdout);
    assert_eq!(world.serving(), "1.1.0");
}

#[test]
fn a_server_that_is_stopped_leaves_everything_running() {
    let world = World::sample(QUICK);
    let first = world.release("1.0.0", "");
    world.deploy("1.0.0", &first).expect(0);
    let before = world.status();
    let pid = world.server_pid();
    signal(pid, Signal::TERM);
    while fs::exists(format!("/proc/{pid}")).unwrap() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let address = before.address.unwrap();
    assert!(std::net::TcpStream::connect(address).is_ok(), "the edge went with the server");
    let said = world.pilotage(&["status"]).expect(0);
    assert!(said.stderr.contains("started the server in the background"), "{}", said.stderr);
    assert_eq!(world.status().address, Some(address));
    assert_eq!(world.status().replicas_ready, 1);
}

#[test]
fn what_goes_down_comes_up_again() {
    let world = World::sample(QUICK);
    let first = world.release("1.0.0", "");
    world.deploy("1.0.0", &first).expect(0);
    let address = world.status().address.unwrap();
    world.pilotage(&["down"]).expect(0);
    assert!(std::net::TcpStream::connect(address).is_err(), "something still listens");
    world.pilotage(&["up"]).expect(0);
    let status = world.until("the instance", |status| status.replicas_ready == 1);
    assert_eq!(status.address, Some(address));
    let audit = world.pilotage(&["audit"]).expect(0).stdout;
    assert!(audit.contains("project.stopped"), "{audit}");
}

#[test]
fn what_is_down_stays_down_until_it_is_wanted_back() {
    let world = World::sample(QUICK);
    let first = world.release("1.0.0", "");
    world.deploy("1.0.0", &first).expect(0);
    let address = world.status().address.unwrap();
    world.pilotage(&["down"]).expect(0);
    let stops = || count(&world, "project.stopped");
    let said = world.pilotage(&["down"]).expect(0);
    assert!(said.stdout.contains("down already: stopped since "), "{}", said.stdout);
    assert!(!world.state().socket().exists(), "the second `down` has started a server");
    assert_eq!(stops(), 1);
    let status = world.pilotage(&["status"]).expect(0).stdout;
    assert!(status.contains("stopped since ") && status.contains("`pilotage up` brings it back"), "{status}");
    let json = world.pilotage(&["status", "--output", "json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json["stopped"]["by"].is_string() && json["stopped"]["since"].is_string(), "{json}");
    for asked in [vec!["history"], vec!["audit"], vec!["logs", "api"], vec!["plan", "api", "1.0.0"]] {
        world.pilotage(&asked).expect(0);
    }
    // Longer than the keeper's round.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(world.status().replicas_ready, 0);
    assert!(std::net::TcpStream::connect(address).is_err(), "something listens again");
    let said = world.pilotage(&["down"]).expect(0);
    assert!(said.stdout.contains("down already: stopped since "), "{}", said.stdout);
    assert_eq!(stops(), 1);
    world.pilotage(&["up"]).expect(0);
    world.until("the instance", |status| status.replicas_ready == 1);
    world.pilotage(&["up"]).expect(0);
    assert_eq!(count(&world, "project.started"), 1);
}

#[test]
fn a_deployment_brings_back_what_is_down() {
    let world = World::sample(QUICK);
    let (first, second) = (world.release("1.0.0", ""), world.release("1.1.0", ""));
    world.deploy("1.0.0", &first).expect(0);
    let production = ["deploy", "api", "1.0.0", "--env", "production", "--artifact", &first];
    world.pilotage(&[&production[..], &["--confirm", "production"]].concat()).expect(0);
    world.pilotage(&["down"]).expect(0);
    world.pilotage(&production).expect(1);
    assert_eq!(count(&world, "project.started"), 0, "a deployment that a gate refused begins nothing");
    world.deploy("1.1.0", &second).expect(0);
    assert_eq!((world.serving().as_str(), count(&world, "project.started")), ("1.1.0", 1));
    let ready = || world.pilotage(&["status", "--env", "production"]).expect(0).stdout.contains("1/1 ready");
    let begun = std::time::Instant::now();
    while !ready() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(60), "production was left stopped");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// How many events of a kind the journal holds; read without a server.
fn count(world: &World, kind: &str) -> usize {
    let reader = Journal::open_read_only(&world.state().journal()).unwrap();
    let events = reader.after(0, 10_000).unwrap();
    events.iter().filter(|event| event.kind.as_str() == kind).count()
}

#[test]
fn names_that_nothing_has_are_not_looked_for() {
    let world = World::sample(QUICK);
    for (asked, near) in [
        (vec!["history", "--env", "prodution"], "production"),
        (vec!["history", "--service", "apo"], "api"),
        (vec!["audit", "list", "--env", "deb"], "dev"),
        (vec!["audit", "--env", "prod"], "production"),
        (vec!["status", "--env", "prod"], "production"),
    ] {
        let said = world.pilotage(&asked).expect(64);
        assert!(said.stderr.contains(&format!("did you mean `{near}`?")), "{asked:?}: {}", said.stderr);
    }
}

#[test]
fn a_state_folder_has_one_server() {
    let world = World::sample(QUICK);
    world.pilotage(&["up"]).expect(0);
    let said = world.pilotage(&["serve"]).expect(1);
    let who = format!("(process {})", world.server_pid());
    assert!(
        said.stderr.contains("a server already runs for") && said.stderr.contains(&who),
        "{}",
        said.stderr
    );
    let said = world.pilotage(&["up"]).expect(0);
    assert!(said.stderr.contains("the server is running already"), "{}", said.stderr);
}

#[test]
fn commands_work_from_a_folder_below_and_with_a_state_folder_elsewhere() {
    let world = World::sample(QUICK);
    let first = world.release("1.0.0", "");
    world.deploy("1.0.0", &first).expect(0);
    let said = world.pilotage_in("releases/1.0.0", &["status"]).expect(0);
    assert!(said.stdout.contains("✓ dev/api"), "{}", said.stdout);
    // So deep that sockets would not fit into their addresses.
    let deep = world.root().join("state-".repeat(15));
    let state = deep.to_str().unwrap();
    let said = world.pilotage(&["status", "--state", state]).expect(0);
    assert!(said.stdout.contains("never deployed: dev/api"), "{}", said.stdout);
    world.pilotage(&["down", "--state", state]).expect(0);
}

#[test]
fn what_ended_last_is_known_after_a_restart_too() {
    let world = World::sample(QUICK);
    let good = world.release("1.0.0", "");
    let bad = world.release("1.1.0", "\"ready_after_ms\": 600000,");
    world.pilotage(&["deploy", "api", "1.1.0", "--artifact", &bad]).expect(1);
    let last = || world.status().last.map(|last| (last.id.to_string(), last.version.to_string()));
    assert_eq!(last(), Some(("d1".to_owned(), "1.1.0".to_owned())));
    world.deploy("1.0.0", &good).expect(0);
    assert_eq!(last(), Some(("d2".to_owned(), "1.0.0".to_owned())));
    world.pilotage(&["down"]).expect(0);
    world.pilotage(&["up"]).expect(0);
    assert_eq!(last(), Some(("d2".to_owned(), "1.0.0".to_owned())));
    let other = world.pilotage(&["status", "--env", "production"]).expect(0).stdout;
    assert!(other.contains("never deployed: production/api"), "{other}");
}

#[test]
fn events_of_a_stream_are_given_once_and_from_where_one_left_off() {
    let world = World::sample(QUICK);
    let first = world.release("1.0.0", "");
    world.pilotage(&["up"]).expect(0);
    let body = serde_json::json!({ "service": "api", "version": "1.0.0", "environment": "dev", "artifact": first, "command": "test" });
    let followed = world.ask(async |client| {
        let _: serde_json::Value = client.post("/v1/deployments", &body).await.unwrap();
        let mut lines = client.lines::<Event>("/v1/events?stream=deployment/d1&follow=true").await.unwrap();
        let mut events: Vec<Event> = Vec::new();
        while events.last().is_none_or(|event| event.kind.as_str() != "deployment.completed") {
            events.push(lines.next().await.unwrap().unwrap());
        }
        events
    });
    let versions: Vec<u64> = followed.iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=followed.len() as u64).collect::<Vec<_>>());
    let path = format!("/v1/events?stream=deployment/d1&after={}", followed[2].seq);
    let rest: Vec<Event> = world.ask(async |client| client.lines(&path).await.unwrap().all().await.unwrap());
    assert_eq!(rest, followed[3..]);
}

#[test]
fn only_the_owner_gets_in() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::sample(QUICK);
    world.pilotage(&["up"]).expect(0);
    let state = world.state();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(state.root()), mode(state.run()), mode(&state.socket())), (0o700, 0o700, 0o600));
}

#[test]
fn every_error_has_one_shape() {
    let world = World::sample(QUICK);
    world.pilotage(&["up"]).expect(0);
    let refused = |path: &str, body: serde_json::Value| {
        let answer = world.ask(async |client| client.post::<serde_json::Value>(path, &body).await);
        match answer {
            Err(ClientError::Refused(error)) => error,
            other => panic!("{path}: {other:?}"),
        }
    };
    let deploy = |service: &str, version: &str| serde_json::json!({ "service": service, "version": version, "environment": "dev", "command": "test" });
    for (path, body, kind, words) in [
        ("/v1/deployments", deploy("apo", "1.0.0"), ErrorKind::Unknown, "unknown service `apo`"),
        ("/v1/deployments", deploy("../x", "1.0.0"), ErrorKind::Usage, "service name `../x` is not allowed"),
        ("/v1/deployments", deploy("api", "one"), ErrorKind::Usage, "`one` is not a semantic version"),
        ("/v1/deployments", serde_json::json!({ "service": 7 }), ErrorKind::Usage, "invalid type"),
        (
            "/v1/deployments",
            serde_json::json!("x".repeat(100_000)),
            ErrorKind::Usage,
            "length limit exceeded",
        ),
        ("/v1/deployments/d9/abort", serde_json::json!({}), ErrorKind::Unknown, "there is no deployment d9"),
        (
            "/v1/deployments/9/abort",
            serde_json::json!({}),
            ErrorKind::Usage,
            "is not the name of a deployment",
        ),
        (
            "/v1/deployments/d9/stop",
            serde_json::json!({}),
            ErrorKind::Unknown,
            "there is nothing at this path",
        ),
        ("/v1/backup", serde_json::json!({ "path": "here" }), ErrorKind::Usage, "is not absolute"),
        ("/v1/nothing", serde_json::json!({}), ErrorKind::Unknown, "there is nothing at this path"),
    ] {
        let error = refused(path, body);
        assert_eq!(error.kind, kind, "{path}: {error:?}");
        assert!(error.message.contains(words), "{path}: {error:?}");
    }
}
