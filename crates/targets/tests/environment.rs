//! What a service finds around it, and what it leaves behind.

#![allow(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use pilotage_spec::{SecretSource, Value};
use pilotage_targets::{Fence, LogQuery, Target, TargetError};
use support::{World, eventually, get, set_env, tcp, version, write};

const SECRET: &str = "correct horse battery";

#[tokio::test]
async fn a_service_gets_what_is_declared_and_nothing_else() {
    let world = World::new().await;
    write(&world.config.project_folder.join("secrets/password"), &format!("{SECRET}\n"));
    let mut release = world.release("1.2.3", &["named=$LEVEL"]).await;
    set_env(&mut release, "LEVEL", Value::Plain("$HOME is not filled in".into()));
    set_env(&mut release, "PASSWORD", Value::Secret(SecretSource::File("secrets/password".into())));
    set_env(&mut release, "CARGO", Value::Secret(SecretSource::Env("CARGO_MANIFEST_DIR".parse().unwrap())));
    world.ensure(&release, 1).await;
    let instance = world.ready("1.2.3", 1).await.remove(0);
    let address = tcp(&instance);
    let (_, text) = get(address, "/env").unwrap();
    let names: Vec<&str> =
        text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let allowed = [
        "CARGO",
        "HOME",
        "LANG",
        "LEVEL",
        "PASSWORD",
        "PATH",
        "PILOTAGE_DATA",
        "PILOTAGE_ENVIRONMENT",
        "PILOTAGE_INSTANCE",
        "PILOTAGE_SERVICE",
        "PILOTAGE_VERSION",
        "PORT",
        "TMPDIR",
        "TZ",
    ];
    assert!(names.iter().all(|name| allowed.contains(name)), "{names:?}");
    for line in [
        format!("PASSWORD={SECRET}"),
        format!("CARGO={}", env!("CARGO_MANIFEST_DIR")),
        "LEVEL=$HOME is not filled in".into(),
        format!("PORT={}", address.port()),
        "PILOTAGE_SERVICE=api".into(),
        "PILOTAGE_ENVIRONMENT=test".into(),
        "PILOTAGE_VERSION=1.2.3".into(),
        format!("PILOTAGE_INSTANCE={}", instance.name),
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    let folder = get(address, "/folder").unwrap().1;
    assert!(folder.ends_with(&release.id.digest.hex()), "it runs in the unpacked release: {folder}");

    // The secret is nowhere but in the environment of the service.
    get(address, "/say").unwrap();
    let lines = || async {
        let query = LogQuery { lines: 100, ..LogQuery::default() };
        world.target().logs(&world.workload(), &query).await.unwrap()
    };
    eventually("it is in the log", || async {
        lines().await.iter().any(|line| line.text == "the password is [masked]")
    })
    .await;
    assert!(lines().await.iter().any(|line| line.text.contains("named=$HOME is not filled in")));
    assert_eq!(files_with(&world.config.state_folder, SECRET), Vec::<std::path::PathBuf>::new());
    let arguments =
        std::fs::read_to_string(format!("/proc/{}/cmdline", world.shim_pid(&instance.name))).unwrap();
    assert!(!arguments.contains(SECRET));
}

#[tokio::test]
async fn a_secret_that_cannot_be_had_is_named_but_not_told() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    let attempt = |source: SecretSource, argument: Option<&str>| {
        let mut release = release.clone();
        set_env(&mut release, "PASSWORD", Value::Secret(source));
        release.instance.run.extend(argument.map(str::to_owned));
        let world = &world;
        async move { world.target().ensure(&world.workload(), &release, 1, Fence(1)).await.unwrap_err() }
    };
    write(&world.config.project_folder.join("password"), SECRET);
    let unset = SecretSource::Env("PILOTAGE_TEST_UNSET".parse().unwrap());
    for (error, words) in [
        (attempt(unset, None).await, "env:PILOTAGE_TEST_UNSET: the variable PILOTAGE_TEST_UNSET is not set"),
        (attempt(SecretSource::File("none".into()), None).await, "cannot be read"),
        (
            attempt(SecretSource::File("password".into()), Some("--password=$PASSWORD")).await,
            "as an argument",
        ),
    ] {
        assert!(matches!(error, TargetError::Secret { .. }), "{error:?}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error:?}").contains(SECRET));
    }
    assert!(world.observe().await.instances.is_empty());
}

#[tokio::test]
async fn logs_are_kept_after_the_end_and_can_be_narrowed() {
    let world = World::new().await;
    for name in ["1.0.0", "1.1.0"] {
        let release = world.release(name, &[]).await;
        world.ensure(&release, 1).await;
        world.ready(name, 1).await;
    }
    world.target().retire(&world.workload(), &version("1.0.0"), 0, Fence(1)).await.unwrap();
    let logs = |query: LogQuery| {
        let world = &world;
        async move { world.target().logs(&world.workload(), &query).await.unwrap() }
    };
    let all = logs(LogQuery { lines: 10, ..LogQuery::default() }).await;
    assert_eq!(all.len(), 2, "one line each: {all:?}");
    assert!(all[0].at <= all[1].at && !all[0].stderr);
    let old = logs(LogQuery { version: Some(version("1.0.0")), lines: 10, after: None }).await;
    assert_eq!(old.len(), 1);
    assert_eq!(logs(LogQuery { lines: 1, ..LogQuery::default() }).await, all[1..]);
    assert_eq!(logs(LogQuery { lines: 10, after: Some(all[0].at), version: None }).await, all[1..]);
}

#[tokio::test]
async fn a_release_that_was_changed_in_the_store_is_not_started() {
    use std::os::unix::fs::PermissionsExt;
    let mut world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    let file = world.config.state_folder.join("store").join(release.id.digest.hex()).join("target-host");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(&file, "#!/bin/sh\nexec sleep 60\n").unwrap();
    world.restart_control_plane().await;
    let error = world.target().ensure(&world.workload(), &release, 1, Fence(1)).await.unwrap_err();
    assert!(error.to_string().contains("has been changed since it was stored"), "{error}");
    assert!(world.observe().await.instances.is_empty());
}

#[tokio::test]
async fn readings_are_taken() {
    let world = World::new().await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    let read = world.until("readings are there", |o| o.instances[0].cpu_millis.is_some()).await;
    assert!(read.instances[0].memory_bytes.unwrap() > 100_000);
}

/// All files below a folder that hold a text.
fn files_with(folder: &std::path::Path, text: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path).unwrap().flatten() {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                open.push(path);
            } else if std::fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text)) {
                found.push(path);
            }
        }
    }
    found
}
