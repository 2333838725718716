//! Instances from their start to their end.

mod support;

use std::time::Duration;

use pilotage_targets::{Fence, InstanceState, ProcessConfig, ProcessTarget, Target};
use support::{World, ask, get, is_running, tcp, version};

#[tokio::test]
async fn a_release_is_started_serves_and_is_retired() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 2).await;
    let instances = world.ready("1.0.0", 2).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    assert_eq!(ask(listen, "/").await, (200, "1.0.0".into()));

    world.target().retire(&world.workload(), &version("1.0.0"), 1, Fence(1)).await.unwrap();
    let left = world.observe().await.instances;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].name, instances[0].name, "the newest goes first");
    assert!(!is_running(instances[1].pid.unwrap()));
    assert_eq!(ask(listen, "/").await, (200, "1.0.0".into()));

    world.target().remove(&world.workload(), Fence(1)).await.unwrap();
    let observation = world.observe().await;
    assert!(observation.instances.is_empty() && observation.traffic.is_none());
    assert!(!is_running(instances[0].pid.unwrap()));
    assert!(get(listen, "/").is_err(), "nobody listens any more");
}

#[tokio::test]
async fn ensuring_twice_starts_nothing_twice() {
    let world = World::new().await;
    let release = world.release("1.0.0", &["ready_after_ms=300"]).await;
    world.ensure(&release, 2).await;
    world.ensure(&release, 2).await;
    assert_eq!(world.ready("1.0.0", 2).await.len(), 2);
    world.ensure(&release, 1).await;
    assert_eq!(world.observe().await.instances.len(), 2, "ensure stops none");
}

#[tokio::test]
async fn a_crash_is_seen_and_mended() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    let before = world.ready("1.0.0", 1).await.remove(0);
    let mut changes = world.target().changes();
    changes.mark_unchanged();
    let _ = get(tcp(&before), "/crash");
    tokio::time::timeout(Duration::from_secs(20), changes.changed()).await.unwrap().unwrap();
    let after = world.until("it was started again", |o| {
        o.instances[0].state == InstanceState::Ready && o.instances[0].restarts == 1
    });
    let after = after.await.instances.remove(0);
    assert_eq!(after.name, before.name);
    assert_eq!(after.address, before.address, "the port is kept");
    assert_ne!(after.pid, before.pid);
}

#[tokio::test]
async fn shutdown_stops_everything_and_can_be_followed_by_a_new_start() {
    let mut world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 2).await;
    let instances = world.ready("1.0.0", 2).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    let edge = world.target().edge().identify().await.unwrap();
    world.target().shutdown().await.unwrap();
    let pids = instances.iter().filter_map(|instance| instance.pid).chain([edge.pid]);
    for pid in pids {
        assert!(!is_running(pid), "{pid} still runs");
    }
    assert!(get(listen, "/").is_err());

    world.restart_control_plane().await;
    let seen = world.observe().await;
    assert!(seen.instances.is_empty());
    assert_eq!(seen.listen(), Some(listen), "who is served where is remembered");
    world.ensure(&release, 1).await;
    assert_eq!(ask(listen, "/").await, (200, "1.0.0".into()));
    assert_ne!(world.observe().await.instances[0].name, instances[0].name, "names are never used twice");
}

#[tokio::test]
async fn releases_in_use_are_never_pruned() {
    let world = World::new().await;
    let used = world.release("1.0.0", &[]).await;
    world.ensure(&used, 1).await;
    let unused = world.script("0.9.0", "old", "#!/bin/sh\n", 0o755).await;
    assert_eq!(world.target().prune(&[]).await.unwrap(), std::slice::from_ref(&unused.id.digest));
    assert!(world.target().ensure(&world.workload(), &unused, 1, Fence(1)).await.is_err());
    world.ensure(&used, 2).await;
    world.ready("1.0.0", 2).await;
}

#[tokio::test]
async fn a_folder_for_sockets_that_is_too_deep_is_refused_with_the_mend() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("x".repeat(100));
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_target-host"));
    let config = ProcessConfig::new(folder.path(), &deep, program, folder.path());
    let error = ProcessTarget::open(config).await.err().unwrap().to_string();
    assert!(error.contains("107 is the most") && error.contains("use a shorter folder"), "{error}");
}
