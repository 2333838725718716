//! Services that do not behave.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::net::TcpListener;
use std::time::Duration;

use pilotage_spec::Health;
use pilotage_targets::{Fence, InstanceState, LogQuery, Target};
use support::{World, eventually, get, is_running, kill, release, tcp, version};

#[tokio::test]
async fn a_program_that_is_missing_fails_at_once_with_the_mend() {
    let world = World::new().await;
    let mut release = world.release("1.0.0", &[]).await;
    release.instance.run[0] = "./server".into();
    world.ensure(&release, 1).await;
    let reason = world.failure().await;
    assert!(
        reason.contains("/server is not there") && reason.contains("Correct `artifact` or `run`"),
        "{reason}"
    );

    release.id.version = version("1.0.1");
    release.instance.run[0] = "target-host".into();
    world.target().remove(&world.workload(), Fence(1)).await.unwrap();
    world.ensure(&release, 1).await;
    let reason = world.failure().await;
    assert!(reason.contains("is not on PATH") && reason.contains("write `./target-host`"), "{reason}");
}

#[tokio::test]
async fn a_program_that_cannot_be_executed_fails_at_once_with_the_mend() {
    for (name, content, mode, words) in [
        ("plain", "#!/bin/sh\n", 0o644, "chmod +x"),
        ("format", "neither\n", 0o755, "begins with `#!`"),
        ("interpreter", "#!/opt/none/bin/tool\n", 0o755, "wants to be run by `/opt/none/bin/tool`"),
    ] {
        let world = World::new().await;
        let release = world.script("1.0.0", name, content, mode).await;
        world.ensure(&release, 1).await;
        let reason = world.failure().await;
        assert!(reason.contains(words), "{name}: {reason}");
        assert_eq!(world.observe().await.instances[0].restarts, 0, "it is not tried again");
    }
}

#[tokio::test]
async fn a_program_that_ends_at_once_is_given_up_with_its_last_words() {
    let world = World::new().await;
    let release = world.release("1.0.0", &["exit=3"]).await;
    world.ensure(&release, 1).await;
    let reason = world.failure().await;
    assert!(reason.contains("ended 5 times before it was ready"), "{reason}");
    assert!(
        reason.contains("ended with exit status 3") && reason.contains("service gives up at once"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_service_that_never_gets_ready_is_given_up_and_stopped() {
    let world = World::new().await;
    let mut release = world.release("1.0.0", &["never_ready"]).await;
    release.instance.start_timeout = Duration::from_millis(500);
    world.ensure(&release, 1).await;
    let starting = world.until("it runs", |o| o.instances[0].pid.is_some()).await;
    let reason = world.failure().await;
    assert!(reason.starts_with("was not ready within 500 ms: GET /ready answered 503"), "{reason}");
    assert!(reason.contains("service begins"), "{reason}");
    assert!(!is_running(starting.instances[0].pid.unwrap()));
}

#[tokio::test]
async fn a_service_that_ignores_sigterm_is_killed_after_its_grace() {
    let world = World::new().await;
    let mut release = world.release("1.0.0", &["stubborn", "grandchild"]).await;
    release.instance.stop_grace = Duration::from_millis(300);
    world.ensure(&release, 1).await;
    let instance = world.ready("1.0.0", 1).await.remove(0);
    let all = session(world.shim_pid(&instance.name));
    assert!(all.len() >= 3, "shim, service and grandchild: {all:?}");
    world.target().retire(&world.workload(), &version("1.0.0"), 0, Fence(1)).await.unwrap();
    assert!(world.observe().await.instances.is_empty());
    let left: Vec<_> =
        all.into_iter().filter(|pid| *pid != world.shim_pid(&instance.name) && is_running(*pid)).collect();
    assert!(left.is_empty(), "still there: {left:?}");
}

#[tokio::test]
async fn a_service_that_puts_itself_into_the_background_is_refused_and_stopped() {
    let world = World::new().await;
    let release = world.release("1.0.0", &["background"]).await;
    world.ensure(&release, 1).await;
    let reason = world.failure().await;
    assert!(reason.starts_with("forked into the background"), "{reason}");
    let shim = world.shim_pid(&world.observe().await.instances[0].name);
    assert_eq!(session(shim), [shim], "nothing of it is left");
}

#[tokio::test]
async fn a_flood_of_output_disturbs_nobody() {
    let world = World::new().await;
    let release = world.release("1.0.0", &["flood"]).await;
    world.ensure(&release, 1).await;
    let instance = world.ready("1.0.0", 1).await.remove(0);
    let folder = world.config.state_folder.join("instances").join(&instance.name);
    let rotated = || async { folder.join("log.1").exists() };
    eventually("the log was put aside", rotated).await;
    assert_eq!(get(tcp(&instance), "/").unwrap().0, 200);
    let lines =
        world.target().logs(&world.workload(), &LogQuery { lines: 5, ..LogQuery::default() }).await.unwrap();
    assert_eq!(lines.len(), 5);
    assert!(lines.iter().all(|line| line.text.starts_with("flood ")));
    let shim = world.shim_pid(&instance.name);
    let status = std::fs::read_to_string(format!("/proc/{shim}/status")).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let resident_kb: u64 = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(resident_kb < 64 * 1024, "the shim holds {resident_kb} kB");
}

#[tokio::test]
async fn a_port_that_is_taken_meanwhile_is_replaced() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    let before = world.ready("1.0.0", 1).await.remove(0);
    let address = tcp(&before);
    kill(before.pid.unwrap());
    // The pause before the restart is long enough for this, or the service was faster and the port is still its own.
    let Some(_taken) = (0..50).find_map(|_| TcpListener::bind(address).ok()) else { return };
    let after = world.until("it was started again", |o| {
        o.instances[0].restarts > 0 && o.instances[0].state == InstanceState::Ready
    });
    assert_ne!(after.await.instances[0].address, before.address);
}

#[tokio::test]
async fn a_service_that_says_it_is_not_ready_gets_no_traffic_and_comes_back() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 2).await;
    let both = world.ready("1.0.0", 2).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    get(tcp(&both[0]), "/unready").unwrap();
    let unready = world.until("it is unready", |o| o.instances[0].state == InstanceState::Unready).await;
    assert!(unready.instances[0].probe_failures > 0);
    eventually("the edge does not use it any more", || async {
        let table = world.target().edge().table().await.unwrap();
        table.routes[0].pools[0].endpoints.len() == 1
    })
    .await;
    assert_eq!(get(listen, "/").unwrap().0, 200);
}

#[tokio::test]
async fn a_service_that_is_not_alive_is_started_again() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    let before = world.ready("1.0.0", 1).await.remove(0);
    get(tcp(&before), "/dead").unwrap();
    let after = world.until("it was started again", |o| {
        o.instances[0].restarts == 1 && o.instances[0].state == InstanceState::Ready
    });
    assert_ne!(after.await.instances[0].pid, before.pid);
}

#[tokio::test]
async fn what_a_crashed_service_leaves_behind_is_ended_before_it_is_started_again() {
    let world = World::new().await;
    let release = world.release("1.0.0", &["grandchild"]).await;
    world.ensure(&release, 1).await;
    let before = world.ready("1.0.0", 1).await.remove(0);
    let shim = world.shim_pid(&before.name);
    let first: Vec<u32> = session(shim);
    assert_eq!(first.len(), 3, "shim, service and grandchild");
    let _ = get(tcp(&before), "/crash");
    world
        .until("it was started again", |o| {
            o.instances[0].restarts == 1 && o.instances[0].state == InstanceState::Ready
        })
        .await;
    assert!(first.iter().all(|pid| *pid == shim || !is_running(*pid)));
}

#[tokio::test]
async fn a_service_without_paths_is_ready_when_its_port_answers() {
    let world = World::new().await;
    let mut release = world.release("1.0.0", &[]).await;
    let health = release.instance.health.clone();
    release.instance.health = Health { live: None, ready: None, ..health };
    world.ensure(&release, 1).await;
    world.ready("1.0.0", 1).await;
}

#[tokio::test]
async fn failed_instances_do_not_pile_up() {
    let world = World::new().await;
    let mut broken = world.release("1.0.0", &[]).await;
    broken = release("1.0.0", broken.id.digest, vec!["./none".into()]);
    for _ in 0..6 {
        world.ensure(&broken, 1).await;
        world
            .until("all have failed", |o| {
                o.instances.iter().all(|instance| matches!(instance.state, InstanceState::Failed { .. }))
            })
            .await;
    }
    assert!(world.observe().await.instances.len() <= 4);
}

/// The processes of a session.
fn session(id: u32) -> Vec<u32> {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let mut found: Vec<u32> = all
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_ascii_whitespace().collect();
            fields.get(3) == Some(&id.to_string().as_str()) && fields[0] != "Z"
        })
        .collect();
    found.sort_unstable();
    found
}
