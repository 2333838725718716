//! `pilotage down` is done whole or not at all, and nothing outlives it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod world;

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use pilotage_journal::{Journal, Reader};
use pilotage_server::{ClientError, DownDone, ErrorKind};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use world::World;

const QUICK: &str = "blue-green: { watch: 100ms, soak: 0s }";
/// A guard against hanging, not a measure.
const PATIENCE: Duration = Duration::from_secs(60);

/// A world in which 1.0.0 serves, and takes several seconds to be stopped.
fn stubborn() -> World {
    let world = World::sample(QUICK);
    let file = fs::read_to_string(world.root().join("pilotage.yaml")).unwrap();
    world.write("pilotage.yaml", &file.replace("stop_grace: 2s", "stop_grace: 5s"));
    let first = world.release("1.0.0", "\"ignore_sigterm\": true,");
    world.deploy("1.0.0", &first).expect(0);
    world
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn reader(world: &World) -> Reader {
    Journal::open_read_only(&world.state().journal()).unwrap()
}

fn until_stopping(world: &World) {
    let (reader, project) = (reader(world), "project".parse().unwrap());
    until("everything is being stopped", || !reader.stream(&project, 0).unwrap().is_empty());
}

/// The processes that work in the world's folder or were told of it.
fn processes(world: &World) -> Vec<(u32, String)> {
    let root = fs::canonicalize(world.root()).unwrap();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let folder = fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        if folder.starts_with(&root) || command.contains(root.to_str().unwrap()) {
            found.push((pid, command));
        }
    }
    found
}

/// Nothing runs any more; the folder of sockets goes with the last shim.
fn assert_nothing_runs(world: &World) {
    assert_eq!(processes(world), Vec::new());
    assert!(!world.state().run().exists(), "a shim or the edge is still there");
}

/// What was deployed serves again, where it did.
fn assert_comes_up(world: &World, address: SocketAddr) {
    world.pilotage(&["up"]).expect(0);
    let status = world.until("the instance", |status| status.replicas_ready == 1);
    assert_eq!(status.address, Some(address));
}

#[test]
fn a_client_that_goes_away_does_not_leave_it_half_done() {
    let world = stubborn();
    let address = world.status().address.unwrap();
    let server = world.server_pid();
    let mut client = UnixStream::connect(world.state().socket()).unwrap();
    let body = json!({ "command": "down" }).to_string();
    let head = "POST /v1/down HTTP/1.1\r\nHost: pilotage\r\nContent-Type: application/json";
    write!(client, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    until_stopping(&world);
    drop(client);
    until("the server has ended", || !Path::new(&format!("/proc/{server}/cwd")).exists() || is_dead(server));
    assert_nothing_runs(&world);
    assert_comes_up(&world, address);
}

/// A server that nobody has waited for stays a zombie.
fn is_dead(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, rest)| rest.starts_with('Z'))
}

#[test]
fn nothing_new_begins_meanwhile_and_whoever_asks_again_gets_the_same_answer() {
    let world = stubborn();
    let first = world.start(&["down"]);
    until_stopping(&world);
    let body = json!({ "service": "api", "environment": "dev", "command": "test" });
    let mut deploy = body.clone();
    deploy["version"] = json!("1.0.0");
    let (refused, again) = world.ask(async |client| {
        let deployed = client.post::<Value>("/v1/deployments", &deploy).await;
        let rolled_back = client.post::<Value>("/v1/rollback", &body).await;
        let again = client.post::<DownDone>("/v1/down", &json!({ "command": "down" })).await;
        ([deployed, rolled_back], again)
    });
    for answer in refused {
        let Err(ClientError::Refused(error)) = answer else { panic!("{answer:?}") };
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.message.contains("everything is being stopped"), "{error:?}");
        assert!(error.help.unwrap().contains("pilotage up"));
    }
    assert_eq!(again.unwrap().stopped, ["dev/api"]);
    world::wait(first).expect(0);
    assert_nothing_runs(&world);
}

#[test]
fn an_instance_that_is_just_being_replaced_does_not_outlive_it() {
    let world = World::sample(QUICK);
    let first = world.release("1.0.0", "");
    world.deploy("1.0.0", &first).expect(0);
    let address = world.status().address.unwrap();
    let reader = reader(&world);
    let service = processes(&world).into_iter().find(|(_, command)| command.contains("sample-service"));
    let stat = fs::read_to_string(format!("/proc/{}/stat", service.unwrap().0)).unwrap();
    // The parent, which is the shim; proc_pid_stat(5).
    let shim = stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap();
    kill_process(Pid::from_raw(shim).unwrap(), Signal::KILL).unwrap();
    // The repair may be over before it is seen; nothing must be left then either.
    let begun = Instant::now();
    while reader.leases().unwrap().is_empty() && begun.elapsed() < Duration::from_secs(2) {}
    world.pilotage(&["down"]).expect(0);
    assert_nothing_runs(&world);
    assert_comes_up(&world, address);
}
