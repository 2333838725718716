//! Services that listen at a unix socket.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use pilotage_spec::{ListenOn, Release};
use pilotage_targets::{Address, Fence, Instance, InstanceState, Target};
use support::{World, eventually, get_unix, kill, version};

async fn release(world: &World, name: &str, listen: ListenOn, faults: &[&str]) -> Release {
    let mut release = world.release(name, faults).await;
    release.instance.listen = listen;
    release
}

fn socket(instance: &Instance) -> PathBuf {
    match &instance.address {
        Some(Address::Unix(path)) => path.clone(),
        other => panic!("{other:?} is no unix socket"),
    }
}

#[tokio::test]
async fn a_service_is_told_where_to_create_its_socket() {
    let world = World::new().await;
    let release = release(&world, "1.0.0", ListenOn::Socket, &["at=${PILOTAGE_SOCKET}"]).await;
    world.ensure(&release, 1).await;
    let instance = world.ready("1.0.0", 1).await.remove(0);
    let path = socket(&instance);
    let (status, env) = get_unix(&path, "/env").unwrap();
    assert_eq!(status, 200);
    assert!(env.contains(&format!("PILOTAGE_SOCKET={}", path.display())), "{env}");
    assert!(!env.contains("PORT=") && !env.contains("LISTEN_"), "{env}");
    // It leaves its socket behind when it crashes, and the next one finds none.
    let _ = get_unix(&path, "/crash");
    let again = world
        .until("it was started again", |seen| {
            seen.instances.iter().any(|it| it.restarts == 1 && it.state == InstanceState::Ready)
        })
        .await;
    assert_eq!(socket(&again.instances[0]), path, "the socket is kept");
    world.target().retire(&world.workload(), &version("1.0.0"), 0, Fence(1)).await.unwrap();
    assert!(!path.exists(), "the socket is gone with the instance");
}

#[tokio::test]
async fn a_passed_socket_is_handed_over_as_systemd_does() {
    let world = World::new().await;
    let release = release(&world, "1.0.0", ListenOn::Passed, &[]).await;
    world.ensure(&release, 1).await;
    let instance = world.ready("1.0.0", 1).await.remove(0);
    let path = socket(&instance);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let (_, env) = get_unix(&path, "/env").unwrap();
    for line in ["LISTEN_FDS=1".to_owned(), format!("LISTEN_PID={}", instance.pid.unwrap())] {
        assert!(env.lines().any(|found| found == line), "{line} is not in\n{env}");
    }
    assert!(!env.contains("PORT=") && !env.contains("PILOTAGE_SOCKET="), "{env}");
    let (_, folder) = get_unix(&path, "/folder").unwrap();
    assert!(folder.ends_with(&release.id.digest.hex()), "it runs in the unpacked release: {folder}");
}

#[tokio::test]
async fn requests_wait_in_a_passed_socket_while_the_service_is_started_again() {
    let world = World::new().await;
    let release = release(&world, "1.0.0", ListenOn::Passed, &[]).await;
    world.ensure(&release, 1).await;
    let instance = world.ready("1.0.0", 1).await.remove(0);
    let path = socket(&instance);
    kill(instance.pid.unwrap());
    eventually("the process is gone", || async { !support::is_running(instance.pid.unwrap()) }).await;
    let waiting = tokio::task::spawn_blocking(move || get_unix(&path, "/"));
    assert_eq!(waiting.await.unwrap().unwrap(), (200, "1.0.0".to_owned()));
}

#[tokio::test]
async fn a_program_that_cannot_be_run_says_so_with_a_passed_socket_too() {
    let world = World::new().await;
    let mut release = world.script("1.0.0", "run", "not a program\n", 0o755).await;
    release.instance.listen = ListenOn::Passed;
    world.ensure(&release, 1).await;
    let reason = world.failure().await;
    assert!(reason.contains("neither a program for this machine nor a script"), "{reason}");
}

#[tokio::test]
async fn an_instance_at_a_socket_is_adopted() {
    let mut world = World::new().await;
    let release = release(&world, "1.0.0", ListenOn::Passed, &[]).await;
    world.ensure(&release, 1).await;
    let before = world.ready("1.0.0", 1).await.remove(0);
    world.restart_control_plane().await;
    let after = world.ready("1.0.0", 1).await.remove(0);
    assert_eq!((after.pid, socket(&after)), (before.pid, socket(&before)));
    assert_eq!(get_unix(&socket(&after), "/").unwrap().1, "1.0.0");
}
