//! What a container may do, what it is told, and how engines are reached that are not here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

mod support;

use std::os::unix::fs::PermissionsExt;

use pilotage_spec::Value;
use pilotage_targets::{Address, Fence, LogQuery, TargetError};
use pilotage_testing::need_docker;
use support::{Rig, World, address, ask, eventually, set_env};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_can_do_little_and_knows_what_it_needs() {
    let Some(docker) = need_docker("what containers may do") else { return };
    let world = World::new(Rig::Docker(docker)).await;
    world.write("key", "hunter22");
    let mut release = world.release("1.0.0", &[]).await;
    set_env(&mut release, "KEY", Value::SecretFile("file:key".parse().unwrap()));
    set_env(&mut release, "PASSWORD", Value::Secret("file:key".parse().unwrap()));
    release.instance.resources.memory_bytes = Some(64 << 20);
    world.ensure(&release, 1).await;
    let instance = world.ready("1.0.0", 1).await.remove(0);
    let service = address(&instance);

    let (status, words) = ask(service, "/write").await;
    assert!(status == 403 && words.contains("Read-only"), "{status} {words}");
    let environment = ask(service, "/env").await.1;
    assert!(environment.contains("PORT=8080") && environment.contains("PILOTAGE_VERSION=1.0.0"));
    assert!(environment.contains("KEY=/run/secrets/KEY"), "{environment}");
    assert_eq!(ask(service, "/file/run/secrets/KEY").await.1, "hunter22");
    let status = ask(service, "/file/proc/self/status").await.1;
    assert!(status.contains("CapEff:\t0000000000000000") && status.contains("NoNewPrivs:\t1"), "{status}");
    // The file is nowhere in what the engine tells; the variable is, as the file asked for it.
    let said = world.docker(&[
        "inspect",
        "--format",
        "{{json .Config.Labels}} {{json .HostConfig}}",
        &instance.name,
    ]);
    assert!(!said.contains("hunter22") && said.contains("\"Memory\":67108864"), "{said}");

    ask(service, "/say").await;
    let query = LogQuery { lines: 10, ..LogQuery::default() };
    eventually("the line is there, without the secret", || async {
        let lines = world.target().logs(&world.workload(), &query).await.unwrap();
        lines.iter().any(|line| line.text == "the password is [masked]" && line.instance == instance.name)
    })
    .await;

    world.write("key", "another-secret");
    let refreshed = world.target().refresh_secrets(&world.workload()).await.unwrap();
    assert_eq!(refreshed[0].references, ["file:key"]);
    assert_eq!(ask(service, "/file/run/secrets/KEY").await.1, "another-secret");
    assert!(world.target().refresh_secrets(&world.workload()).await.unwrap().is_empty());
    eventually("readings are taken", || async { world.observe().await.instances[0].memory_bytes.is_some() })
        .await;
    world.target().remove(&world.workload(), Fence(1)).await.unwrap();
    let left = std::fs::read_dir(world.config.run_folder.join("containers")).unwrap().count();
    assert_eq!(left, 0, "no secret is left");
}

/// A program in the place of `ssh`, which checks what it is asked for and leads to the rig's engine.
fn fake_ssh(world: &std::path::Path, socket: &std::path::Path) -> std::path::PathBuf {
    let path = world.join("ssh");
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in *StrictHostKeyChecking=yes*'-- localhost docker system dial-stdio') ;; *) exit 9;; esac\n\
         exec docker -H unix://{} system dial-stdio\n",
        socket.display()
    );
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_is_reached_through_ssh_and_its_containers_by_published_ports() {
    let Some(docker) = need_docker("an engine through ssh") else { return };
    let folder = tempfile::tempdir().unwrap();
    let ssh = fake_ssh(folder.path(), docker.socket());
    let world = World::with(Rig::Docker(docker), |config| {
        config.settings.host = "ssh://localhost".parse().unwrap();
        config.ssh_program = ssh;
    })
    .await;
    world.write("key", "hunter22");
    let mut release = world.release("1.0.0", &[]).await;
    set_env(&mut release, "KEY", Value::SecretFile("file:key".parse().unwrap()));
    world.ensure(&release, 1).await;
    let instance = world.ready("1.0.0", 1).await.remove(0);
    let Some(Address::Tcp(published)) = instance.address else { panic!("{instance:?}") };
    assert!(published.ip().is_loopback(), "{published}");
    assert_eq!(ask(published, "/file/run/secrets/KEY").await.1, "hunter22");
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    assert_eq!(ask(listen, "/").await.1, "1.0.0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_cannot_be_reached_is_told_with_the_reason() {
    let Some(docker) = need_docker("engines that cannot be reached") else { return };
    let folder = tempfile::tempdir().unwrap();
    let ssh = folder.path().join("ssh");
    std::fs::write(&ssh, "#!/bin/sh\necho 'Host key verification failed.' >&2\nexit 255\n").unwrap();
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o755)).unwrap();
    let world = World::new(Rig::Docker(docker)).await;
    let refused = async |host: &str| {
        let mut config = world.config.clone();
        config.environment = "other".parse().unwrap();
        config.settings.host = host.parse().unwrap();
        config.ssh_program = ssh.clone();
        let target = pilotage_docker::DockerTarget::open(config).unwrap();
        let error = pilotage_targets::Target::observe(&target, &world.workload()).await.unwrap_err();
        assert!(matches!(error, TargetError::Unreachable { .. }), "{error}");
        error.to_string()
    };
    let words = refused("ssh://unknown.example").await;
    assert!(words.contains("known_hosts"), "{words}");
    let words = refused("unix:///nowhere.sock").await;
    assert!(words.contains("/nowhere.sock") && words.contains("`host`"), "{words}");
    let words = refused("tcp://127.0.0.1:1").await;
    assert!(words.contains("start the engine"), "{words}");
}
