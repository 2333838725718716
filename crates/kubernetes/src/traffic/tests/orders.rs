//! Argo Rollouts and Flagger on a real API server. Their controllers do not run here: what they would write is written by the test.

use serde_json::{Value, json};

use super::super::TrafficRoute;
use super::super::argo_rollouts::{self, ArgoRollouts, RolloutOrder, RolloutPhase, drive as drive_rollout};
use super::super::flagger::{self, CanaryOrder, CanaryPhase, Flagger, drive as drive_canary};
use super::super::kind::{CANARY, ROLLOUT};
use super::super::objects::Write;
use super::super::testing::{traffic, version};
use super::server::Server;

const SUITE: &str = "Argo Rollouts and Flagger on a real API server";

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_takes_orders_and_tells_how_it_is() {
    let Some(server) = Server::new(SUITE).await else { return };
    let objects = server.objects(&ROLLOUT).await;
    let handed = argo_rollouts::tests::objects(&argo_rollouts::tests::canary()).unwrap();
    let mut rollout = handed.objects.last().unwrap().clone();
    rollout["metadata"]["namespace"] = json!(server.cluster.namespace());
    let rollout = objects.write(&rollout, Write::Again).await.unwrap();
    let generation = rollout["metadata"]["generation"].as_i64().unwrap().to_string();
    // Simulated: the controller has come to the first pause.
    let paused = json!({ "status": {
        "observedGeneration": generation, "phase": "Paused", "message": "CanaryPauseStep", "currentStepIndex": 1,
        "controllerPause": true, "currentPodHash": "b", "stableRS": "a",
        "pauseConditions": [{ "reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z" }],
    } });
    objects.change_status("api", &paused).await.unwrap();
    let state = drive_rollout(&server.cluster, "api", RolloutOrder::Promote).await.unwrap();
    assert_eq!(
        (state.phase, state.weight),
        (RolloutPhase::Progressing, 5),
        "the controller has to end its pause"
    );
    assert!(state.waits_for.is_empty());
    let state = drive_rollout(&server.cluster, "api", RolloutOrder::Abort).await.unwrap();
    assert!(state.aborted);
    let state = drive_rollout(&server.cluster, "api", RolloutOrder::Retry).await.unwrap();
    assert!(!state.aborted);
    drive_rollout(&server.cluster, "api", RolloutOrder::PromoteFully).await.unwrap();
    let live = objects.get("api").await.unwrap().unwrap();
    assert_eq!(live["status"]["promoteFull"], true);
    server.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_gets_the_version_and_shows_what_is_done_to_it_by_hand() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0", "2.0.0"]).await;
    let versioned = |slug: &str| json!({ "pilotage.dev/version": slug });
    let labels = json!({ "app": "api", "pilotage.dev/version": "1-0-0" });
    let mut stable = deployment("api-a", &labels, &json!({ "app": "api" }));
    stable["kind"] = json!("ReplicaSet");
    stable["metadata"]["labels"] = json!({ "rollouts-pod-template-hash": "a" });
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": [
        deployment("api", &labels, &json!({ "app": "api" })),
        deployment("api-v2-0-0", &versioned("2-0-0"), &versioned("2-0-0")),
        stable,
    ] });
    server.create(&list);
    let handed = argo_rollouts::tests::objects(&argo_rollouts::tests::canary()).unwrap();
    let mut rollout = handed.objects.last().unwrap().clone();
    rollout["metadata"]["namespace"] = json!(server.cluster.namespace());
    let objects = server.objects(&ROLLOUT).await;
    objects.write(&rollout, Write::Again).await.unwrap();

    let route = ArgoRollouts;
    let newer = traffic(&[("2.0.0", 10_000)]);
    route.check(&server.cluster, &server.workload, &newer).await.unwrap();
    route.apply(&server.cluster, &server.workload, &newer).await.unwrap();
    assert_eq!(server.image("api"), "api-v2-0-0:1");
    // Simulated: Argo is at its first step.
    let running = json!({ "status": { "currentPodHash": "b", "stableRS": "a", "currentStepIndex": 1, "phase": "Paused" } });
    objects.change_status("api", &running).await.unwrap();
    let shares = route.read(&server.cluster, &server.workload).await.unwrap().unwrap().shares;
    assert_eq!(shares, vec![(version("2.0.0"), 500), (version("1.0.0"), 9_500)]);
    // As `kubectl argo rollouts abort` does.
    objects.change_status("api", &json!({ "status": { "abort": true } })).await.unwrap();
    let shares = route.read(&server.cluster, &server.workload).await.unwrap().unwrap().shares;
    assert_eq!(shares, vec![(version("1.0.0"), 10_000)]);
    let error = route.apply(&server.cluster, &server.workload, &newer).await.unwrap_err().to_string();
    assert!(error.contains("it was aborted"), "{error}");
    objects.change_status("api", &json!({ "status": { "abort": false } })).await.unwrap();
    route.apply(&server.cluster, &server.workload, &traffic(&[("1.0.0", 10_000)])).await.unwrap();
    let live = objects.get("api").await.unwrap().unwrap();
    assert_eq!(live["status"]["abort"], true, "the way back is an abort");
    server.end().await;
}

fn deployment(name: &str, labels: &Value, selector: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": {
            "replicas": 0,
            "selector": { "matchLabels": selector },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "api", "image": format!("{name}:1") }] },
            },
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_gets_the_version_and_takes_it_back() {
    let Some(server) = Server::new(SUITE).await else { return };
    server.services(&["1.0.0", "2.0.0"]).await;
    let of = |slug: &str| json!({ "app": "api", "pilotage.dev/version": slug });
    let versioned = |slug: &str| json!({ "pilotage.dev/version": slug });
    let primary = json!({ "app": "api-primary", "pilotage.dev/version": "1-0-0" });
    let deployments = json!({ "apiVersion": "v1", "kind": "List", "items": [
        deployment("api", &of("1-0-0"), &json!({ "app": "api" })),
        deployment("api-primary", &primary, &json!({ "app": "api-primary" })),
        deployment("api-v1-0-0", &versioned("1-0-0"), &versioned("1-0-0")),
        deployment("api-v2-0-0", &versioned("2-0-0"), &versioned("2-0-0")),
    ] });
    server.create(&deployments);
    let handed = flagger::tests::objects(&flagger::tests::canary(), "istio").unwrap();
    let mut canary = handed.objects.last().unwrap().clone();
    canary["metadata"]["namespace"] = json!(server.cluster.namespace());
    let objects = server.objects(&CANARY).await;
    objects.write(&canary, Write::Again).await.unwrap();

    let route = Flagger { provider: "istio".to_owned() };
    let wanted = traffic(&[("2.0.0", 10_000)]);
    route.check(&server.cluster, &server.workload, &wanted).await.unwrap();
    route.apply(&server.cluster, &server.workload, &wanted).await.unwrap();
    let image = server.by_hand(&[
        "get",
        "deployment",
        "api",
        "--output",
        "jsonpath={.spec.template.spec.containers[0].image}",
    ]);
    assert_eq!(image, "api-v2-0-0:1");
    // Simulated: Flagger has given it a quarter.
    objects
        .change_status("api", &json!({ "status": { "phase": "Progressing", "canaryWeight": 25 } }))
        .await
        .unwrap();
    let shares = route.read(&server.cluster, &server.workload).await.unwrap().unwrap().shares;
    assert_eq!(shares, vec![(version("2.0.0"), 2_500), (version("1.0.0"), 7_500)]);
    route.apply(&server.cluster, &server.workload, &traffic(&[("1.0.0", 10_000)])).await.unwrap();
    let live = objects.get("api").await.unwrap().unwrap();
    assert_eq!(live["status"]["failedChecks"], live["spec"]["analysis"]["threshold"], "told to take it back");
    let state = drive_canary(&server.cluster, "api", &CanaryOrder::Promote).await.unwrap();
    assert!(state.skips_analysis && state.phase == CanaryPhase::Progressing);
    objects.change_status("api", &json!({ "status": { "phase": "Succeeded" } })).await.unwrap();
    route.apply(&server.cluster, &server.workload, &traffic(&[("1.0.0", 10_000)])).await.unwrap();
    assert_eq!(server.image("api"), "api-v1-0-0:1");
    let live = objects.get("api").await.unwrap().unwrap();
    assert_eq!(live["spec"]["skipAnalysis"], false, "only the release that was promoted is not analysed");
    drive_canary(&server.cluster, "api", &CanaryOrder::Retry("1".to_owned())).await.unwrap();
    let error =
        route.check(&server.cluster, &server.workload, &traffic(&[("2.0.0", 500), ("1.0.0", 9_500)])).await;
    assert!(error.unwrap_err().to_string().contains("put the steps into the Canary"));
    server.end().await;
}
