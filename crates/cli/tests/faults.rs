//! Services that cannot be deployed: the reason in words, exit 1, and the old version serves.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use std::net::TcpListener;

use world::World;

/// A project whose service is `./program`, and whose 1.0.0 is sound.
fn project() -> World {
    let world = World::with(
        "project: faults
services:
  api:
    run: [./program]
    artifact: good
    health: { ready: /ready, interval: 100ms }
    replicas: 1
    start_timeout: 2s
    stop_grace: 1s
environments:
  dev: { strategy: quick }
strategies:
  quick: { blue-green: { watch: 100ms, soak: 0s } }
",
    );
    world.write_program(
        "good/program",
        &format!("#!/bin/sh\nexec {} sample-service\n", world::PILOTAGE),
        0o755,
    );
    world
}

/// Deploys 1.1.0 from `bad` after 1.0.0, and says what was said.
fn refused(world: &World) -> String {
    world.pilotage(&["deploy", "api", "1.0.0", "--artifact", "good"]).expect(0);
    let said = world.pilotage(&["deploy", "api", "1.1.0", "--artifact", "bad"]).expect(1);
    assert_eq!(world.serving(), "1.0.0");
    assert_eq!(world.status().replicas_ready, 1);
    said.whole()
}

#[test]
fn a_program_that_is_missing() {
    let world = project();
    world.write("bad/other", "");
    let said = refused(&world);
    assert!(said.contains("program") && said.contains("✗ d2 failed"), "{said}");
}

#[test]
fn a_program_that_is_not_executable() {
    let world = project();
    world.write_program("bad/program", "#!/bin/sh\n", 0o644);
    let said = refused(&world);
    assert!(said.contains("execut") && said.contains("✗ d2 failed"), "{said}");
}

#[test]
fn a_program_that_exits_at_once() {
    let world = project();
    world.write_program("bad/program", "#!/bin/sh\necho the cupboard is bare\nexit 3\n", 0o755);
    let said = refused(&world);
    assert!(said.contains("exit status 3") && said.contains("the cupboard is bare"), "{said}");
}

#[test]
fn a_program_that_is_never_ready() {
    let world = project();
    world.write_program("bad/program", "#!/bin/sh\nexec sleep 600\n", 0o755);
    let said = refused(&world);
    assert!(said.contains("ready") && said.contains("✗ d2 failed"), "{said}");
}

#[test]
fn an_artifact_that_is_not_there() {
    let world = project();
    std::fs::remove_dir_all(world.root().join("good")).unwrap();
    let said = world.pilotage(&["deploy", "api", "1.0.0"]).expect(1);
    assert!(said.stderr.contains("good: is not there; build it first"), "{}", said.stderr);
}

#[test]
fn a_port_in_use() {
    let held = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port();
    let world = project();
    let file = std::fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    world.write("pilotage.yaml", &file.replace("replicas: 1", &format!("replicas: 1\n    port: {port}")));
    let said = world.pilotage(&["deploy", "api", "1.0.0", "--artifact", "good"]).expect(1).whole();
    assert!(said.contains(&format!("port {port} is in use by another program")), "{said}");
}

#[test]
fn a_log_for_which_there_is_no_room() {
    let world = project();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut server = std::process::Command::new(world::PILOTAGE)
        .args(["serve", "--quiet"])
        .current_dir(world.root())
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(full)
        .spawn()
        .unwrap();
    while !world.state().socket().exists() {
        assert!(server.try_wait().unwrap().is_none(), "the server has ended");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    world.pilotage(&["deploy", "api", "1.0.0", "--artifact", "good"]).expect(0);
    assert_eq!((world.serving(), world.server_pid()), ("1.0.0".to_owned(), server.id()));
    world.pilotage(&["down"]).expect(0);
    server.wait().unwrap();
}

#[test]
fn a_file_that_broke_meanwhile() {
    let world = project();
    world.pilotage(&["deploy", "api", "1.0.0", "--artifact", "good"]).expect(0);
    world.write("pilotage.yaml", "project: faults\nservices: 7\n");
    let said = world.pilotage(&["deploy", "api", "1.1.0", "--artifact", "good"]).expect(64);
    assert!(said.stderr.contains("pilotage.yaml:2"), "{}", said.stderr);
    let said = world.pilotage(&["status"]).expect(0);
    assert!(said.stdout.contains("the project's file cannot be used now"), "{}", said.stdout);
    assert!(said.stdout.contains("✓ dev/api  1.0.0"), "{}", said.stdout);
}
