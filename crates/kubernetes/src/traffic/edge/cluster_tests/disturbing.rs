//! What needs the cluster alone: parts of it are killed.

use pilotage_testing::need_kube_alone;

use super::SUITE;
use super::stage::{OLD, Stage, ask, by_version, crowd, leads_somewhere, shares, until};
use crate::traffic::TrafficRoute;

#[tokio::test(flavor = "multi_thread")]
async fn people_are_served_while_the_api_server_is_gone_and_pods_are_caught_up_with_afterwards() {
    let Some(kube) = need_kube_alone(SUITE) else { return };
    let stage = Stage::set(kube).await;
    let Stage { cluster, route, workload, .. } = &stage;
    let routed = route.apply(cluster, workload, &shares(5_000, 5_000)).await.unwrap();
    leads_somewhere(routed.listen).await;
    let people = crowd(routed.listen, 100.0);
    stage.kube.kill("kube-apiserver").unwrap();
    let error = route.apply(cluster, workload, &shares(0, 10_000)).await.unwrap_err();
    assert!(matches!(error, pilotage_targets::TargetError::Unreachable { .. }), "{error}");
    let report = ask(routed.listen, 500).await;
    assert_eq!(by_version(&report).len(), 2, "{report:#?}");
    stage.kube.start("kube-apiserver").unwrap();

    stage.kubectl(&["scale", "deployment", "api-v1-0-0", "--replicas=2"]);
    stage.pods_are_ready(OLD, 2).await;
    let epochs = async || {
        let mut epochs = Vec::new();
        for pod in stage.edge_pods().await {
            epochs.push(stage.applied(&pod).await.epoch);
        }
        epochs
    };
    until("every edge pod knows the new instance", async || {
        let epochs = epochs().await;
        epochs.len() == 2 && epochs.iter().all(|epoch| *epoch > routed.epoch)
    })
    .await;
    // A pod that goes away in order is missed by nobody.
    stage.kubectl(&["scale", "deployment", "api-v1-0-0", "--replicas=1"]);
    stage.pods_are_ready(OLD, 1).await;
    route.apply(cluster, workload, &shares(0, 10_000)).await.unwrap();
    assert_eq!(by_version(&ask(routed.listen, 200).await), [(OLD, 200)].into());
    let report = people.stop().await.unwrap();
    assert_eq!(report.outcomes.dropped, 0, "{report:#?}");
}
