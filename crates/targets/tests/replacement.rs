//! What becomes of an edge that another one replaces, and of those who use it meanwhile.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use support::{World, eventually, get};

/// Requests one after the other, each on a new connection; none may fail.
struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<u64>,
}

impl Load {
    fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut sent = 0;
            while !stopped.load(Ordering::Relaxed) {
                assert_eq!(get(address, "/").unwrap(), (200, "1.0.0".to_owned()), "after {sent}");
                sent += 1;
            }
            sent
        });
        Self { stop, thread }
    }

    fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        assert!(self.thread.join().unwrap() > 0);
    }
}

/// A world in which one instance is served.
async fn serving() -> (World, SocketAddr) {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    world.ready("1.0.0", 1).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    (world, listen)
}

async fn edge_pid(world: &World) -> u32 {
    world.target().edge().identify().await.unwrap().pid
}

/// What the edge's shim takes for the edge.
fn held_pid(world: &World) -> u64 {
    let text = std::fs::read(world.config.state_folder.join("edge/identity.json")).unwrap();
    serde_json::from_slice::<serde_json::Value>(&text).unwrap()["process"]["pid"].as_u64().unwrap_or_default()
}

fn pid(raw: u32) -> Pid {
    Pid::from_raw(raw.try_into().unwrap()).unwrap()
}

async fn gone(raw: u32) {
    eventually("it has ended", || async { test_kill_process(pid(raw)).is_err() }).await;
}

#[tokio::test]
async fn a_replaced_edge_goes_and_its_shim_holds_the_one_in_its_place() {
    let (world, listen) = serving().await;
    let load = Load::start(listen);
    let first = edge_pid(&world).await;
    let mut last = first;
    for _ in 0..3 {
        let replacement = world.target().edge().reload(None).await.unwrap();
        assert_eq!((replacement.from.pid, replacement.addresses), (last, 1));
        gone(last).await;
        last = replacement.to.pid;
        assert_eq!(edge_pid(&world).await, last);
        eventually("its shim knows", || async { held_pid(&world) == u64::from(last) }).await;
    }
    load.end();

    kill_process(pid(last), Signal::KILL).unwrap();
    eventually("its shim starts another", || async {
        let identity = world.target().edge().identify().await;
        identity.is_ok_and(|identity| identity.pid != last) && get(listen, "/").is_ok()
    })
    .await;
    let status = held_pid(&world);
    assert_eq!(status, u64::from(edge_pid(&world).await));
}

#[tokio::test]
async fn a_control_plane_of_a_newer_make_replaces_the_edge_without_a_gap() {
    let (mut world, listen) = serving().await;
    let load = Load::start(listen);
    let first = edge_pid(&world).await;
    world.restart_control_plane().await;
    assert_eq!(edge_pid(&world).await, first, "one of the same make stays");

    let newer: PathBuf = world.folder.path().join("newer");
    std::fs::copy(&world.config.program, &newer).unwrap();
    world.config.program.clone_from(&newer);
    world.restart_control_plane().await;
    let second = edge_pid(&world).await;
    assert_ne!(second, first);
    assert_eq!(std::fs::read_link(format!("/proc/{second}/exe")).unwrap(), newer);
    gone(first).await;
    load.end();
    world.restart_control_plane().await;
    assert_eq!(edge_pid(&world).await, second);
}

#[tokio::test]
async fn a_newer_program_that_does_not_start_leaves_the_edge_as_it_is() {
    let (mut world, listen) = serving().await;
    let first = edge_pid(&world).await;
    let program = world.config.program.clone();
    world.config.program = "/bin/false".into();
    let load = Load::start(listen);
    world.restart_control_plane().await;
    assert_eq!(edge_pid(&world).await, first);
    load.end();
    world.config.program = program;
}
