//! `pilotage edge reload`, and edges of an older make.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod world;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pilotage_load::{Load, LoadHandle, LoadPlan};
use pilotage_proxy::{EdgeClient, Identity};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use world::{PILOTAGE, Said, World, wait};

/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A world in which 1.0.0 serves, and where.
fn serving() -> (World, SocketAddr) {
    let world = World::sample("blue-green: { watch: 100ms, soak: 0s }");
    let first = world.release("1.0.0", "");
    world.deploy("1.0.0", &first).expect(0);
    let address = world.status().address.unwrap();
    (world, address)
}

fn load(address: SocketAddr) -> LoadHandle {
    Load::start(LoadPlan::open(address, 200.0)).unwrap()
}

/// Ends the load; nothing was dropped.
fn assert_unharmed(load: LoadHandle) {
    let report = asking(load.stop()).unwrap();
    assert!(report.outcomes.ok > 0 && report.drop_reasons.is_empty(), "{report:?}");
}

fn asking<T>(question: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(question)
}

fn edge(world: &World) -> Identity {
    let socket = world.state().run().join("edge.sock");
    asking(async { EdgeClient::connect(&socket).await.unwrap().identify().await.unwrap() })
}

/// This program in another file, as after an upgrade.
fn newer(world: &World) -> PathBuf {
    let path = world.root().join("pilotage-newer");
    std::fs::copy(PILOTAGE, &path).unwrap();
    path
}

fn run(program: &Path, world: &World, arguments: &[&str]) -> Said {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(world.root()).env_remove("PILOTAGE_STATE");
    wait(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// A process that is killed with the value.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_edge_of_a_project_is_replaced_and_nobody_notices() {
    let (world, address) = serving();
    let before = edge(&world);
    let load = load(address);
    let said = world.pilotage(&["edge", "reload"]).expect(0);
    assert!(said.stdout.contains(&format!("edge {} (", before.pid)), "{}", said.stdout);
    assert!(said.stdout.contains("handed 1 address to"), "{}", said.stdout);
    let said = world.pilotage(&["edge", "reload", "--output", "json"]).expect(0);
    let replacement: Value = serde_json::from_str(&said.stdout).unwrap();
    let after = edge(&world);
    assert_eq!(replacement["to"]["pid"], after.pid);
    assert_eq!(after.started_micros, before.started_micros, "counters go on");

    let said = world.pilotage(&["edge", "reload", "--executable", "/bin/false"]).expect(1);
    assert!(said.stderr.contains("serves on"), "{}", said.stderr);
    assert!(said.stderr.contains("before it had taken over"), "{}", said.stderr);
    assert_eq!(edge(&world).pid, after.pid);
    assert_unharmed(load);
    world.pilotage(&["down"]).expect(0);
    assert!(!world.state().run().exists(), "nothing is left of any of the edges");
}

#[test]
fn after_an_upgrade_the_next_up_replaces_the_edge() {
    let (world, address) = serving();
    let before = edge(&world);
    let load = load(address);
    world.pilotage(&["up"]).expect(0);
    assert_eq!(edge(&world).pid, before.pid, "one of the same make stays");
    let newer = newer(&world);
    let said = run(&newer, &world, &["up"]).expect(0);
    assert!(said.stderr.contains("the edge is of this make now"), "{}", said.stderr);
    let after = edge(&world);
    assert_eq!(std::fs::read_link(format!("/proc/{}/exe", after.pid)).unwrap(), newer);
    assert_unharmed(load);
}

#[test]
fn an_edge_that_was_started_by_hand_is_replaced_by_one_of_a_newer_make() {
    let world = World::empty();
    let arguments = ["edge", "--socket", "edge.sock", "--state-folder", "state"];
    let mut old = Killed(world.start(&arguments));
    let begun = Instant::now();
    while !world.root().join("edge.sock").exists() {
        assert!(begun.elapsed() < PATIENCE, "the edge does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    let said = world.pilotage(&arguments).expect(1);
    assert!(said.stderr.contains("already uses the state folder"), "{}", said.stderr);

    let new = Command::new(newer(&world)).args(arguments).current_dir(world.root()).spawn();
    let mut new = Killed(new.unwrap());
    while old.0.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < PATIENCE, "the old edge stays");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(old.0.wait().unwrap().success() && new.0.try_wait().unwrap().is_none());
    kill_process(Pid::from_raw(new.0.id().try_into().unwrap()).unwrap(), Signal::TERM).unwrap();
    assert!(new.0.wait().unwrap().success());
    let said = world.pilotage(&["edge", "reload", "--socket", "edge.sock"]).expect(1);
    assert!(said.stderr.contains("no edge runs") && said.stderr.contains("hint:"), "{}", said.stderr);
}
