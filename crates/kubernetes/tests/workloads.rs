//! What teams have in their clusters already, and what they ask of a workload there.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

mod support;

use std::collections::BTreeSet;

use pilotage_spec::{KubernetesTraffic, KubernetesWorkload, Release, Value, WorkloadKind};
use pilotage_testing::need_kube;
use support::{World, get, ready};

fn image(release: &Release) -> String {
    release.instance.image.clone().unwrap().pinned(&release.id.digest)
}

#[tokio::test]
async fn a_deployment_that_runs_already_becomes_the_stable_version_without_a_restart() {
    let Some(kube) = need_kube("workloads") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    let mut old = world.release("1.0.0", &[]).await;
    let new = world.release("2.0.0", &[]).await;
    old.instance.kubernetes =
        Some(KubernetesWorkload { adopt: Some("legacy".to_owned()), ..KubernetesWorkload::default() });
    world.apply(&legacy(&image(&old)));
    world.kubectl(&["rollout", "status", "deployment/legacy", "--timeout=100s"]);
    let pods = |world: &World| world.kubectl(&["get", "pods", "-l", "app=legacy", "-o", "jsonpath={..uid}"]);
    let before = pods(&world);

    world.ensure(&old, 1).await;
    let names: BTreeSet<_> =
        world.ready("1.0.0", 1).await.into_iter().map(|instance| instance.name).collect();
    assert_eq!(pods(&world), before, "its pods were restarted");
    let listen = world.route(&[("1.0.0", 10_000)]).await;
    assert_eq!(get(listen).await.as_deref(), Some("1.0.0"));

    world.ensure(&new, 1).await;
    world.ready("2.0.0", 1).await;
    assert_eq!(get(listen).await.as_deref(), Some("1.0.0"), "the new version has traffic before its time");
    assert_eq!(world.route(&[("2.0.0", 10_000)]).await, listen);
    assert_eq!(get(listen).await.as_deref(), Some("2.0.0"));
    assert_eq!(world.route(&[("1.0.0", 10_000)]).await, listen);
    assert_eq!(get(listen).await.as_deref(), Some("1.0.0"));
    let still: BTreeSet<_> = ready(&world.observe().await, "1.0.0").into_iter().map(|i| i.name).collect();
    assert_eq!(still, names);

    // Somebody rolls it to something else by hand: that is not the version that was adopted.
    world.kubectl(&["set", "image", "deployment/legacy", &format!("api={}", image(&new))]);
    world.reason("somebody has changed").await;
    world.kubectl(&["rollout", "undo", "deployment/legacy"]);
    world.ready("1.0.0", 1).await;
    world.retire("1.0.0", 0).await;
    assert_eq!(world.kubectl(&["get", "deployment", "legacy", "-o", "jsonpath={.spec.replicas}"]), "0");
}

fn legacy(image: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata: {{name: legacy}}
spec:
  selector: {{matchLabels: {{app: legacy}}}}
  template:
    metadata: {{labels: {{app: legacy}}}}
    spec:
      automountServiceAccountToken: false
      terminationGracePeriodSeconds: 1
      containers: [{{name: api, image: \"{image}\", ports: [{{containerPort: 8080}}]}}]
---
apiVersion: v1
kind: Service
metadata: {{name: api}}
spec: {{selector: {{app: legacy}}, ports: [{{port: 80, targetPort: 8080}}]}}
"
    )
}

#[tokio::test]
async fn an_autoscaler_decides_about_replicas() {
    let Some(kube) = need_kube("workloads") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    let release = world.release("1.0.0", &[]).await;
    world.ensure(&release, 1).await;
    world.ready("1.0.0", 1).await;
    world.kubectl(&["autoscale", "deployment", "api-v1-0-0", "--min=1", "--max=2"]);
    world.ensure(&release, 4).await;
    assert_eq!(world.kubectl(&["get", "deployment", "api-v1-0-0", "-o", "jsonpath={.spec.replicas}"]), "1");
    world.retire("1.0.0", 0).await;
    assert!(world.observe().await.instances.is_empty());
}

#[tokio::test]
async fn secrets_are_in_secrets_and_nowhere_else() {
    let Some(kube) = need_kube("workloads") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    std::fs::write(world.config.project_folder.join("password"), "correct horse").unwrap();
    let mut release = world.release("1.0.0", &[]).await;
    let source = || "file:password".parse().unwrap();
    release.instance.env.insert("PASSWORD".parse().unwrap(), Value::Secret(source()));
    release.instance.env.insert("PASSWORD_FILE".parse().unwrap(), Value::SecretFile(source()));
    world.ensure(&release, 1).await;
    let pod = world.ready("1.0.0", 1).await.remove(0).name;
    let said = world.kubectl(&[
        "exec",
        &pod,
        "--",
        "/bin/busybox",
        "sh",
        "-c",
        "cat $PASSWORD_FILE; echo; echo $PASSWORD",
    ]);
    assert_eq!(said.trim(), "correct horse\ncorrect horse");
    let everything =
        world.kubectl(&["get", "deployments,pods,replicasets,configmaps,services", "-o", "json"]);
    assert!(!everything.contains("correct horse") && !everything.contains("Y29ycmVjdCBob3JzZ"));

    // They are not read again for what runs, and what is there is known to be as it should be.
    world.target().refresh_secrets(&world.workload()).await.unwrap();
    std::fs::write(world.config.project_folder.join("password"), "battery staple").unwrap();
    let refreshed = world.target().refresh_secrets(&world.workload()).await.unwrap();
    assert_eq!(refreshed.iter().map(|r| r.instance.as_str()).collect::<Vec<_>>(), [pod.as_str()]);
    world.ensure(&release, 1).await;
    assert_eq!(world.ready("1.0.0", 1).await[0].name, pod);
}

#[tokio::test]
async fn a_stateful_set_goes_over_by_ordinal() {
    let Some(kube) = need_kube("workloads") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    let workload = KubernetesWorkload { kind: WorkloadKind::StatefulSet, ..KubernetesWorkload::default() };
    let (mut old, mut new) = (world.release("1.0.0", &[]).await, world.release("2.0.0", &[]).await);
    old.instance.kubernetes = Some(workload.clone());
    new.instance.kubernetes = Some(workload);
    world.ensure(&old, 2).await;
    world.ready("1.0.0", 2).await;

    world.retire("1.0.0", 1).await;
    world.ensure(&new, 1).await;
    assert_eq!(world.ready("2.0.0", 1).await[0].name, "api-1");
    assert_eq!(world.ready("1.0.0", 1).await[0].name, "api-0");
    world.retire("1.0.0", 0).await;
    let seen = world.ready("2.0.0", 1).await;
    assert_eq!(seen[0].name, "api-0");
    world.ensure(&new, 2).await;
    world.ready("2.0.0", 2).await;
}

#[tokio::test]
async fn logs_are_those_of_the_version() {
    let Some(kube) = need_kube("workloads") else { return };
    let world = World::new(kube, KubernetesTraffic::Service).await;
    let run = ["/bin/busybox", "sh", "-c", "echo hello; exec /bin/busybox httpd -f -p 8080 -h /www"];
    world.ensure(&world.release("1.0.0", &run).await, 1).await;
    world.ready("1.0.0", 1).await;
    let query = pilotage_targets::LogQuery { lines: 10, ..Default::default() };
    let lines = world.target().logs(&world.workload(), &query).await.unwrap();
    assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["hello"]);
}
