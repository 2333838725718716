//! What goes wrong in clusters, on a real one: each is told in words, and what is ours is put right.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

mod support;

use std::time::Duration;

use pilotage_spec::{Digest, KubernetesTraffic};
use pilotage_targets::{InstanceState, TargetError};
use pilotage_testing::{need_kube, need_kube_alone};
use serde_json::{Value, json};
use support::{World, get, get_soon, ready, traffic};

#[tokio::test]
async fn an_image_that_does_not_exist_is_told_as_such() {
    let Some(kube) = need_kube("faults of clusters") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    let mut release = world.release("1.0.0", &[]).await;
    release.id.digest = Digest::from_bytes([7; 32]);
    world.ensure(&release, 1).await;
    let reason = world.failure().await;
    assert!(reason.starts_with("its image cannot be pulled"), "{reason}");
}

#[tokio::test]
async fn what_never_gets_ready_is_told_with_what_its_probe_says() {
    let Some(kube) = need_kube("faults of clusters") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    let mut release = world.release("1.0.0", &[]).await;
    release.instance.health.ready = Some("/nothing".parse().unwrap());
    release.instance.start_timeout = Duration::from_secs(8);
    world.ensure(&release, 1).await;
    let reason = world.failure().await;
    assert!(reason.contains("does not get ready") && reason.contains("404"), "{reason}");
}

#[tokio::test]
async fn a_crash_loop_is_told_with_exit_code_and_last_lines() {
    let Some(kube) = need_kube("faults of clusters") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    let run = ["/bin/busybox", "sh", "-c", "echo no such table; exit 3"];
    world.ensure(&world.release("1.0.0", &run).await, 1).await;
    let reason = world.failure().await;
    assert!(reason.contains("exit code 3") && reason.contains("no such table"), "{reason}");
}

#[tokio::test]
async fn no_room_and_no_quota_are_told() {
    let Some(kube) = need_kube("faults of clusters") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    let mut large = world.release("1.0.0", &[]).await;
    large.instance.resources.cpu_millis = Some(1_000_000);
    world.ensure(&large, 1).await;
    let reason = world.reason("no node can take it").await;
    assert!(reason.contains("Insufficient cpu"), "{reason}");
    world.retire("1.0.0", 0).await;
    world.kubectl(&["create", "quota", "small", "--hard=pods=0"]);
    world.ensure(&world.release("1.1.0", &[]).await, 1).await;
    let reason = world.reason("cannot be made").await;
    assert!(reason.contains("exceeded quota"), "{reason}");
}

#[tokio::test]
async fn what_others_do_to_our_objects_is_noticed_and_put_right() {
    let Some(kube) = need_kube("faults of clusters") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    let (old, new) = (world.release("1.0.0", &[]).await, world.release("2.0.0", &[]).await);
    world.ensure(&old, 1).await;
    world.ready("1.0.0", 1).await;

    world.kubectl(&["scale", "deployment", "api-v1-0-0", "--replicas=0"]);
    world.until("they are gone", |seen| seen.instances.is_empty()).await;
    world.ensure(&old, 1).await;
    world.ready("1.0.0", 1).await;

    let other = new.instance.image.clone().unwrap().pinned(&new.id.digest);
    world.kubectl(&["set", "image", "deployment/api-v1-0-0", &format!("service={other}")]);
    let reason = world.reason("somebody has changed").await;
    assert!(reason.contains(&new.id.digest.to_string()), "{reason}");
    world.ensure(&old, 1).await;
    world
        .until("only what was asked for is left", |seen| {
            seen.instances.len() == 1
                && ready(seen, "1.0.0").len() == 1
                && seen.instances[0].release == old.id
        })
        .await;

    let listen = world.route(&[("1.0.0", 10_000)]).await;
    world.kubectl(&["delete", "deployment", "api-v1-0-0"]);
    world.until("they are gone", |seen| seen.instances.is_empty()).await;
    world.ensure(&old, 1).await;
    world.ready("1.0.0", 1).await;
    assert_eq!(world.route(&[("1.0.0", 10_000)]).await, listen);
    assert_eq!(get_soon(listen).await.as_deref(), Some("1.0.0"));

    // A switch by hand is no share that anybody asked for.
    world.kubectl(&[
        "patch",
        "service",
        "api",
        "-p",
        r#"{"spec":{"selector":{"pilotage.dev/version":"9-9-9"}}}"#,
    ]);
    assert_eq!(world.observe().await.shares(), Default::default());
    assert_eq!(world.route(&[("1.0.0", 10_000)]).await, listen);
    assert_eq!(world.observe().await.traffic.unwrap().shares, traffic(&[("1.0.0", 10_000)]).shares);
}

#[tokio::test]
async fn an_object_of_somebody_else_is_left_alone() {
    let Some(kube) = need_kube("faults of clusters") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    world.kubectl(&["create", "service", "clusterip", "api", "--tcp=80:8080"]);
    let refused = world.target().check_route(&world.workload(), &traffic(&[])).await.unwrap_err();
    let TargetError::Conflict { object, .. } = &refused else { panic!("{refused}") };
    assert_eq!(object, "services api");
}

#[tokio::test]
async fn a_namespace_that_is_deleted_is_told() {
    let Some(kube) = need_kube("faults of clusters") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    let release = world.release("1.0.0", &[]).await;
    let namespace = world.namespace();
    world.kube.kubectl(&["delete", "namespace", &namespace]).unwrap();
    let refused = world.try_ensure(&release, 1).await.unwrap_err().to_string();
    assert!(refused.contains("namespace"), "{refused}");
}

/// The world's kubeconfig with a change.
fn changed(world: &World, change: impl FnOnce(&mut Value)) -> std::path::PathBuf {
    let view = world.kube.kubectl(&["config", "view", "--raw", "-o", "json"]).unwrap();
    let mut view: Value = serde_json::from_str(&view).unwrap();
    change(&mut view);
    let file = world.folder.path().join("changed.kubeconfig");
    std::fs::write(&file, view.to_string()).unwrap();
    file
}

#[tokio::test]
async fn credentials_and_certificates_that_do_not_fit_are_told() {
    let Some(kube) = need_kube("faults of clusters") else { return };
    let mut world = World::new(kube, KubernetesTraffic::Service).await;
    let file = world.folder.path().join("expired.kubeconfig");
    world.kube.write_kubeconfig(&file, "expired").unwrap();
    let refused = refusal(&mut world, &file).await;
    assert!(refused.contains("log in again"), "{refused}");

    let file = changed(&world, |view| {
        view["clusters"][0]["cluster"]["tls-server-name"] = json!("another.example.com");
    });
    let refused = refusal(&mut world, &file).await;
    assert!(refused.contains("certificate") && refused.contains("does not match"), "{refused}");

    let file =
        changed(&world, |view| view["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:1"));
    let refused = refusal(&mut world, &file).await;
    assert!(refused.contains("cannot be reached"), "{refused}");

    let limited = world.kube.kubeconfig_of("limited").unwrap();
    let refused = refusal(&mut world, &limited).await;
    assert!(refused.contains("add the rule") && refused.contains("verbs: [\"list\"]"), "{refused}");
}

/// What looking comes to by another kubeconfig.
async fn refusal(world: &mut World, file: &std::path::Path) -> String {
    let reach = pilotage_spec::ClusterReach::Kubeconfig {
        file: Some(file.to_string_lossy().into_owned()),
        context: None,
    };
    world.config.settings.reach = reach;
    world.restart_control_plane();
    world.target().observe(&world.workload()).await.unwrap_err().to_string()
}

/// What kills parts of the cluster has it alone.
mod disturbing {
    use super::*;

    #[tokio::test]
    async fn an_api_server_and_a_kubelet_that_die_stop_nothing() {
        let Some(kube) = need_kube_alone("faults of clusters") else { return };
        let world = World::new(kube, KubernetesTraffic::Host).await;
        let (old, new) = (world.release("1.0.0", &[]).await, world.release("2.0.0", &[]).await);
        world.ensure(&old, 1).await;
        world.ready("1.0.0", 1).await;
        let listen = world.route(&[("1.0.0", 10_000)]).await;
        world.ensure(&new, 1).await;

        world.kube.kill("kube-apiserver").unwrap();
        let refused = world.target().observe(&world.workload()).await.unwrap_err();
        assert!(matches!(refused, TargetError::Unreachable { .. }), "{refused}");
        assert_eq!(get(listen).await.as_deref(), Some("1.0.0"));
        world.kube.start("kube-apiserver").unwrap();
        world.ready("2.0.0", 1).await;

        world.kube.kill("kubelet").unwrap();
        assert_eq!(world.route(&[("2.0.0", 10_000)]).await, listen);
        assert_eq!(get(listen).await.as_deref(), Some("2.0.0"));
        world.kube.start("kubelet").unwrap();
        world.retire("1.0.0", 0).await;
        let seen = world.observe().await;
        assert_eq!(seen.instances.iter().filter(|i| i.state == InstanceState::Ready).count(), 1, "{seen:?}");
    }
}
