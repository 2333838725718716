//! Instances from their start to their end.

mod support;

use std::time::Duration;

use pilotage_targets::{Fence, InstanceState, Target};
use support::{World, ask, get, is_running, version};

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
    assert!(
        observation.instances.is_empty() && observation.listen.is_none() && observation.shares.is_empty()
    );
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
    let _ = get(before.address.unwrap(), "/crash");
    tokio::time::timeout(Duration::from_secs(20), changes.changed()).await.unwrap().unwrap();
    let after = world.until("it was started again", |o| {
        o.instances[0].state == InstanceState::Ready && o.instances[0].restarts == 1
    });
    let after = after.await.instances.remove(0);
    assert_eq!(after.name, before.name);
    assert_eq!(after.address, before.address, "the port is kept");
    assert_ne!(after.pid, before.pid);
}
