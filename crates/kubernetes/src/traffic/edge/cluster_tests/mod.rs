//! Edge pods in a real cluster, with people who ask all the time.

mod disturbing;
mod stage;

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::ConfigMap;
use pilotage_testing::need_kube;

use crate::install::EDGE_NAME;
use crate::traffic::TrafficRoute;

use stage::{NEW, OLD, Stage, ask, by_version, crowd, leads_somewhere, new_route, shares, until};

const SUITE: &str = "edge pods";

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_shared_exactly_and_switched_by_one_patch() {
    let Some(kube) = need_kube(SUITE) else { return };
    let stage = Stage::set(kube).await;
    let Stage { cluster, route, workload, .. } = &stage;
    route.check(cluster, workload, &shares(2_500, 7_500)).await.unwrap();
    let routed = route.apply(cluster, workload, &shares(2_500, 7_500)).await.unwrap();
    leads_somewhere(routed.listen).await;
    assert_eq!(stage.edge_pods().await.len(), 2);

    // A person's version follows from who it is: of 4,000 people, the shares are theirs to 3 % in all but one of 100,000 runs.
    let report = ask(routed.listen, 4_000).await;
    assert_eq!(report.outcomes.dropped, 0, "{report:#?}");
    let answered = by_version(&report);
    assert_eq!(answered.values().sum::<u64>(), 4_000);
    assert!((880..=1_120).contains(&answered[NEW]), "{answered:?}");
    let counted = route.stats(cluster, workload).await.unwrap().unwrap();
    let versions = &counted.routes["production/api"].versions;
    assert_eq!([NEW, OLD].map(|version| versions[version].requests), [answered[NEW], answered[OLD]]);

    // Back to the old version, while people ask: once it is said to be so, nobody gets the new one.
    let people = crowd(routed.listen, 200.0);
    let config_maps = cluster.api::<ConfigMap>();
    let config_map = || cluster.get(&config_maps, "pilotage-edge-production");
    let before = config_map().await.unwrap().unwrap();
    let began = Instant::now();
    let back = route.apply(cluster, workload, &shares(0, 10_000)).await.unwrap();
    let took = began.elapsed();
    eprintln!("back on the old version in every pod after {} ms", took.as_millis());
    assert_eq!(back.listen, routed.listen);
    let counted = route.stats(cluster, workload).await.unwrap().unwrap();
    let served = counted.routes["production/api"].versions[NEW].requests;
    let report = ask(routed.listen, 1_000).await;
    assert_eq!(by_version(&report), [(OLD, 1_000)].into());
    let counted = route.stats(cluster, workload).await.unwrap().unwrap();
    assert_eq!(counted.routes["production/api"].versions[NEW].requests, served);
    route.drain(cluster, workload, &NEW.parse().unwrap(), Duration::from_secs(30)).await.unwrap();

    // The same again is no write at all, and what is read is what was asked for.
    let after = config_map().await.unwrap().unwrap();
    assert_ne!(after.metadata.resource_version, before.metadata.resource_version);
    let wanted = route.read(cluster, workload).await.unwrap().unwrap();
    assert_eq!(wanted.shares, shares(0, 10_000).shares);
    assert_eq!(wanted.listen, routed.listen);
    route.apply(cluster, workload, &shares(0, 10_000)).await.unwrap();
    assert_eq!(
        config_map().await.unwrap().unwrap().metadata.resource_version,
        after.metadata.resource_version
    );
    let report = people.stop().await.unwrap();
    assert_eq!(report.outcomes.dropped, 0, "{report:#?}");

    // Somebody leads the Service elsewhere by hand: that is seen.
    stage.kubectl(&[
        "patch",
        "service",
        "api",
        "--patch",
        r#"{"spec":{"selector":{"pilotage.dev/project":"other"}}}"#,
    ]);
    assert_eq!(route.read(cluster, workload).await.unwrap(), None);

    route.remove(cluster, workload).await.unwrap();
    assert_eq!(route.read(cluster, workload).await.unwrap(), None);
    for kind in ["deployment", "service", "serviceaccount", "role", "rolebinding", "poddisruptionbudget"] {
        let found = stage.kubectl(&["get", kind, EDGE_NAME, "--ignore-not-found", "--output", "name"]);
        assert_eq!(found.trim(), "", "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_edge_takes_over_without_a_request_dropped() {
    let Some(kube) = need_kube(SUITE) else { return };
    let stage = Stage::set(kube).await;
    let Stage { cluster, route, workload, .. } = &stage;
    let routed = route.apply(cluster, workload, &shares(5_000, 5_000)).await.unwrap();
    leads_somewhere(routed.listen).await;
    // Somebody has scaled the edge: that stays.
    stage.kubectl(&["scale", "deployment", EDGE_NAME, "--replicas=3"]);
    until("three pods", async || stage.edge_pods().await.len() == 3).await;
    let before = route.stats(cluster, workload).await.unwrap().unwrap();

    let people = crowd(routed.listen, 100.0);
    // The same program under another name: every pod is replaced.
    let image = stage.kube.docker().unwrap().pilotage_image().unwrap();
    let tag = format!("{}:test", image.split_once('@').unwrap().0);
    let newer = new_route(&tag);
    newer.apply(cluster, workload, &shares(2_500, 7_500)).await.unwrap();
    stage.kubectl(&["rollout", "status", "deployment", EDGE_NAME, "--timeout=180s"]);
    until("the old pods are gone", async || {
        let pods = stage.kubectl(&[
            "get",
            "pods",
            "--selector",
            "app.kubernetes.io/name=pilotage-edge",
            "--output",
            "name",
        ]);
        pods.lines().count() == 3
    })
    .await;
    let after = route.stats(cluster, workload).await.unwrap().unwrap();
    let report = people.stop().await.unwrap();
    assert_eq!(report.outcomes.dropped, 0, "{report:#?}");
    let requests = |stats: &pilotage_proxy::EdgeStats| {
        stats.routes["production/api"].versions.values().map(|version| version.requests).sum::<u64>()
    };
    assert!(requests(&after) >= requests(&before) && after.started_micros == before.started_micros);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_pod_serves_when_one_is_killed() {
    let Some(kube) = need_kube(SUITE) else { return };
    let stage = Stage::set(kube).await;
    let Stage { cluster, route, workload, .. } = &stage;
    let routed = route.apply(cluster, workload, &shares(5_000, 5_000)).await.unwrap();
    leads_somewhere(routed.listen).await;
    let people = crowd(routed.listen, 100.0);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let docker = stage.kube.docker().unwrap();
    let pods = stage.edge_pods().await;
    let label = format!("label=io.kubernetes.pod.name={}", pods[0].name);
    let filters = ["--filter", label.as_str(), "--filter", "label=io.kubernetes.container.name=edge"];
    let listed = docker.client().args(["ps", "--quiet"]).args(filters).output().unwrap();
    let container = String::from_utf8(listed.stdout).unwrap().trim().to_owned();
    assert!(docker.client().args(["kill", &container]).output().unwrap().status.success());
    // Its container is started again in the same pod, with its last table.
    until("it is back", async || {
        let restarts = "jsonpath={.status.containerStatuses[0].restartCount}";
        let restarted = stage.kubectl(&["get", "pod", &pods[0].name, "--output", restarts]) != "0";
        restarted && stage.edge_pods().await.len() == 2
    })
    .await;
    let quiet = people.snapshot();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let report = people.stop().await.unwrap();
    eprintln!(
        "killed: {} of {} requests were lost: {:?}",
        report.outcomes.dropped, report.requests, report.drop_reasons
    );
    // What was in flight there, and what was sent to its address before the Service had heard of it; and nothing after that.
    assert_eq!(report.outcomes.dropped, quiet.outcomes.dropped);
    assert!(report.outcomes.dropped < report.requests / 4, "{report:#?}");
    let sum = route.stats(cluster, workload).await.unwrap().unwrap();
    let counted: u64 = sum.routes["production/api"].versions.values().map(|version| version.requests).sum();
    assert!(counted > 0 && counted <= report.requests);
}
