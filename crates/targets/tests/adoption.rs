//! What happens when a control plane, a shim or an edge dies.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use pilotage_targets::{InstanceState, Target};
use support::{World, ask, eventually, get, is_running, kill, ready, tcp, version};

#[tokio::test]
async fn a_new_control_plane_adopts_everything() {
    let mut world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 2).await;
    let before = world.ready("1.0.0", 2).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    let edge = world.target().edge().identify().await.unwrap();

    world.restart_control_plane().await;
    let observation = world.observe().await;
    let names = |instances: &[pilotage_targets::Instance]| -> Vec<_> {
        instances
            .iter()
            .map(|instance| (instance.name.clone(), instance.pid, instance.address.clone()))
            .collect()
    };
    assert_eq!(names(&observation.instances), names(&before), "the same processes");
    assert_eq!(observation.listen(), Some(listen));
    assert_eq!(observation.shares()[&version("1.0.0")], 10_000);
    assert_eq!(world.target().edge().identify().await.unwrap(), edge);
    assert_eq!(ask(listen, "/").await.0, 200);

    // And it holds them: a crash is seen by the new one.
    let _ = get(tcp(&before[0]), "/crash");
    world.until("it was started again", |o| o.instances[0].restarts == 1).await;
    world.ensure(&release, 2).await;
    assert_eq!(world.observe().await.instances.len(), 2);
}

#[tokio::test]
async fn users_notice_nothing_of_a_new_control_plane() {
    let mut world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    world.ready("1.0.0", 1).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    let (stop, failed, answered) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let load = {
        let (stop, failed, answered) = (Arc::clone(&stop), Arc::clone(&failed), Arc::clone(&answered));
        std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let good = get(listen, "/").is_ok_and(|(status, _)| status == 200);
                if good { &answered } else { &failed }.fetch_add(1, Ordering::SeqCst);
            }
        })
    };
    for _ in 0..3 {
        let before = answered.load(Ordering::SeqCst);
        world.restart_control_plane().await;
        eventually("requests were answered", || async { answered.load(Ordering::SeqCst) > before + 20 })
            .await;
    }
    stop.store(true, Ordering::SeqCst);
    load.join().unwrap();
    assert_eq!(failed.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_instance_whose_shim_was_killed_serves_until_it_is_replaced() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    let lost = world.ready("1.0.0", 1).await.remove(0);
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    kill(world.shim_pid(&lost.name));
    world.until("it is lost", |o| o.instances[0].state == InstanceState::Lost).await;
    assert!(is_running(lost.pid.unwrap()), "its process goes on");
    assert_eq!(ask(listen, "/").await.0, 200);

    world.ensure(&release, 1).await;
    world.until("only the new one is left", |o| o.instances.len() == 1 && ready(o, "1.0.0").len() == 1).await;
    assert!(!is_running(lost.pid.unwrap()), "the orphan was stopped");
    assert_eq!(ask(listen, "/").await.0, 200);
}

#[tokio::test]
async fn a_shim_that_died_while_nobody_looked_is_found_out() {
    let mut world = World::new().await;
    let release = world.release("1.0.0", &["stubborn", "grandchild"]).await;
    world.ensure(&release, 1).await;
    let lost = world.ready("1.0.0", 1).await.remove(0);
    let shim = world.shim_pid(&lost.name);
    kill(shim);
    eventually("the shim is dead", || async { !is_running(shim) }).await;
    world.restart_control_plane().await;
    assert_eq!(world.observe().await.instances[0].state, InstanceState::Lost);
    let mut quick = release.clone();
    quick.instance.stop_grace = std::time::Duration::from_millis(100);
    world.target().retire(&world.workload(), &version("1.0.0"), 0, pilotage_targets::Fence(1)).await.unwrap();
    assert!(world.observe().await.instances.is_empty());
    assert!(!is_running(lost.pid.unwrap()));
}

#[tokio::test]
async fn an_edge_that_was_killed_comes_back_with_the_same_traffic() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    world.ready("1.0.0", 1).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    let before = world.target().edge().identify().await.unwrap();
    kill(before.pid);
    eventually("another edge is there", || async {
        world.target().edge().identify().await.is_ok_and(|identity| identity.pid != before.pid)
    })
    .await;
    eventually("it serves", || async { get(listen, "/").is_ok_and(|(status, _)| status == 200) }).await;
    // What changes from now on reaches the new one.
    let epoch = world.target().edge().table().await.unwrap().epoch;
    let _ = get(tcp(&world.ready("1.0.0", 1).await[0]), "/crash");
    world
        .until("it was started again", |o| o.instances[0].restarts == 1 && ready(o, "1.0.0").len() == 1)
        .await;
    eventually("the table is new", || async { world.target().edge().table().await.unwrap().epoch > epoch })
        .await;
    assert_eq!(ask(listen, "/").await.0, 200);
}

#[tokio::test]
async fn an_edge_without_its_shim_goes_on_serving() {
    let mut world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    world.ready("1.0.0", 1).await;
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    let edge = world.target().edge().identify().await.unwrap();
    let identity = std::fs::read(world.config.state_folder.join("edge/identity.json")).unwrap();
    let identity: serde_json::Value = serde_json::from_slice(&identity).unwrap();
    kill(identity["shim"]["pid"].as_u64().unwrap() as u32);
    world.restart_control_plane().await;
    assert_eq!(world.target().edge().identify().await.unwrap(), edge);
    assert_eq!(ask(listen, "/").await.0, 200);
    kill(edge.pid);
    eventually("another edge serves", || async { get(listen, "/").is_ok_and(|(status, _)| status == 200) })
        .await;
}

#[tokio::test]
async fn an_ensure_that_nobody_waits_for_any_more_loses_no_instance() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    let (workload, fence) = (world.workload(), pilotage_targets::Fence(1));
    let given_up = async {
        tokio::select! {
            biased;
            _ = world.target().ensure(&workload, &release, 1, fence) => panic!("it was faster than a yield"),
            () = tokio::task::yield_now() => {}
        }
    };
    given_up.await;
    world.ensure(&release, 1).await;
    assert_eq!(world.ready("1.0.0", 1).await.len(), 1);
    let folders = std::fs::read_dir(world.config.state_folder.join("instances")).unwrap().count();
    assert_eq!(folders, 1, "the second call found what the first had begun");
}

#[tokio::test]
async fn records_of_instances_are_not_trusted() {
    let mut world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    let kept = world.ready("1.0.0", 1).await.remove(0);
    let instances = world.config.state_folder.join("instances");
    let record = std::fs::read_to_string(instances.join(&kept.name).join("instance.json")).unwrap();
    // Cut off by a power failure; written by hand; from before a restart of the machine.
    support::write(&instances.join("test.api.90/instance.json"), &record[..record.len() / 2]);
    std::fs::create_dir(instances.join("test.api.91")).unwrap();
    let identity = std::fs::read_to_string(instances.join(&kept.name).join("identity.json")).unwrap();
    let boot = world.identity(&kept.name)["shim"]["boot_id"].as_str().unwrap().to_owned();
    support::write(&instances.join("test.api.92/instance.json"), &record.replace(&kept.name, "test.api.92"));
    support::write(&instances.join("test.api.92/identity.json"), &identity.replace(&boot, "another boot"));
    world.restart_control_plane().await;
    let seen = world.observe().await.instances;
    assert_eq!(seen.iter().map(|instance| &instance.name).collect::<Vec<_>>(), [&kept.name]);
    assert!(instances.join("test.api.92/exit.json").exists(), "it counts as ended from now on");

    let newer = record.replace(&kept.name, "test.api.93").replace("\"format\": 1", "\"format\": 2");
    support::write(&instances.join("test.api.93/instance.json"), &newer);
    let error = pilotage_targets::ProcessTarget::open(world.config.clone()).await.err().unwrap().to_string();
    assert!(error.contains("use the version of Pilotage that wrote it"), "{error}");
    std::fs::remove_dir_all(instances.join("test.api.93")).unwrap();
}
