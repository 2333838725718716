//! Teams that stay on Argo Rollouts or Flagger: their rollouts are printed, shown and ordered, and the log says who did. The controllers
//! do not run here: what they would write into a status is written by the test.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use std::time::{Duration, Instant};

use pilotage_server::WhoAmI;
use pilotage_testing::rig::Kube;
use pilotage_testing::{need_api_server, need_definitions};
use serde_json::{Value, json};
use world::World;

const SUITE: &str = "orders to the controllers of teams";
/// Nothing here takes nearly as long, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// The environment `dev` with Argo Rollouts, and `canaries` with Flagger.
fn project(kube: &Kube) -> String {
    let file = kube.kubeconfig().display();
    let target = |namespace: &str, traffic: &str| {
        format!("{{ kubernetes: {{ kubeconfig: {file}, namespace: {namespace}, traffic: {traffic} }} }}")
    };
    let (dev, canaries) =
        (target("shop", "argo-rollouts"), target("shop-canaries", "{ flagger: { provider: istio } }"));
    format!(
        "project: shop
services:
  api: {{ image: registry.example.com/shop/api, health: /ready, replicas: 3 }}
environments:
  dev: {{ strategy: blue-green, target: {dev} }}
  canaries: {{ strategy: blue-green, target: {canaries} }}
strategies:
  careful: {{ canary: {{ steps: [5, 50, 100], watch: 5m, soak: 15m }} }}
"
    )
}

/// Applies what was printed, as a person would.
fn apply(kube: &Kube, printed: &str) {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), printed).unwrap();
    let words = ["apply", "--validate=false", "--filename", file.path().to_str().unwrap()];
    let begun = Instant::now();
    // A kind is served a moment after its definition is in use.
    while let Err(error) = kube.kubectl(&words) {
        assert!(begun.elapsed() < PATIENCE, "{error}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The controller's part: writes the status of the object `api`.
fn write_status(kube: &Kube, (group, version): (&str, &str), plural: &str, namespace: &str, status: &Value) {
    let mut object = object(kube, &format!("{plural}.{group}"), namespace);
    object["status"] = status.clone();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), object.to_string()).unwrap();
    let path = format!("/apis/{group}/{version}/namespaces/{namespace}/{plural}/api/status");
    kube.kubectl(&["replace", "--raw", &path, "--filename", file.path().to_str().unwrap()]).unwrap();
}

fn object(kube: &Kube, kind: &str, namespace: &str) -> Value {
    let text = kube.kubectl(&["--namespace", namespace, "get", kind, "api", "--output", "json"]).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn shown(world: &World, environment: &str) -> Value {
    let words = ["rollout", "show", "api", "--env", environment, "--output", "json"];
    serde_json::from_str(&world.pilotage(&words).expect(0).stdout).unwrap()
}

/// The lines of the audit log that are about orders.
fn orders(world: &World) -> Vec<Value> {
    let said = world.pilotage(&["audit", "--output", "json"]).expect(0).stdout;
    let lines = said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["event"] == "workload.ordered").collect()
}

#[test]
fn rollouts_of_both_controllers_take_orders_and_the_log_says_who_gave_them() {
    let Some(definitions) = need_definitions(SUITE) else { return };
    let Some(server) = need_api_server(SUITE) else { return };
    server.install_definitions(&definitions).unwrap();
    for namespace in ["shop", "shop-canaries"] {
        server.kubectl(&["create", "namespace", namespace]).unwrap();
    }
    // Dropped before the API server, which it speaks to until its end.
    let world = World::with(&project(&server));
    argo(&world, &server);
    flagger(&world, &server);

    let who = world.ask(async |client| client.get::<WhoAmI>("/v1/whoami").await).unwrap();
    let who = who.identity.principal.to_string();
    let orders = orders(&world);
    assert!(orders.iter().all(|line| line["user"] == who.as_str()), "{orders:#?}");
    let told: Vec<(&str, &str)> = orders
        .iter()
        .map(|line| (line["environment"].as_str().unwrap(), line["outcome"].as_str().unwrap()))
        .collect();
    let expected = [
        ("dev", "promote"),
        ("dev", "abort"),
        ("dev", "retry"),
        ("dev", "promote_fully"),
        ("canaries", "promote"),
        ("canaries", "failed"),
        ("canaries", "abort"),
        ("canaries", "promote_fully"),
        ("canaries", "retry"),
        ("canaries", "failed"),
    ];
    assert_eq!(told, expected);
    assert_eq!(orders[0]["detail"]["reason"], "orders are as they should be");
    assert_eq!(orders[0]["detail"]["controller"], "argo-rollouts");
    assert!(orders[0]["command"].as_str().unwrap().starts_with("pilotage rollout promote api"));
}

fn argo(world: &World, kube: &Kube) {
    let printed = world.pilotage(&["kubernetes", "rollout", "api", "--strategy", "careful"]).expect(0).stdout;
    assert!(printed.contains("# stays with Pilotage: trigger `probe_failures`\n"), "{printed}");
    let missing = world.pilotage(&["rollout", "show", "api"]).expect(1).stderr;
    assert!(missing.contains("pilotage kubernetes rollout api --env dev"), "{missing}");
    apply(kube, &printed);
    let live = || object(kube, "rollouts.argoproj.io", "shop");
    let generation = live()["metadata"]["generation"].as_i64().unwrap().to_string();
    let pause = json!({ "reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z" });
    let paused = json!({
        "observedGeneration": generation, "phase": "Paused", "message": "CanaryPauseStep", "currentStepIndex": 1,
        "controllerPause": true, "currentPodHash": "b", "stableRS": "a", "pauseConditions": [pause],
    });
    write_status(kube, ("argoproj.io", "v1alpha1"), "rollouts", "shop", &paused);

    let rollout = shown(world, "dev");
    assert_eq!((&rollout["phase"], &rollout["weight"]), (&json!("Paused"), &json!(5)), "{rollout}");
    assert_eq!(rollout["waits_for"], json!(["CanaryPauseStep"]));
    let words = world.pilotage(&["rollout", "show", "api"]).expect(0);
    let line = "‖ dev/api: Paused by Argo Rollouts, 5 % to the new version, 1 of 4 steps done";
    assert!(words.stdout.contains(line), "{}", words.stdout);
    assert!(words.stderr.contains("pilotage rollout promote api --env dev"), "{}", words.stderr);

    let reason = "orders are as they should be";
    world.pilotage(&["rollout", "promote", "api", "--env", "dev", "--reason", reason]).expect(0);
    assert!(live()["status"].get("pauseConditions").is_none(), "{}", live()["status"]);
    world.pilotage(&["rollout", "abort", "api"]).expect(0);
    assert_eq!(live()["status"]["abort"], true);
    assert_eq!(shown(world, "dev")["aborted"], true);
    world.pilotage(&["rollout", "retry", "api"]).expect(0);
    assert_eq!(live()["status"]["abort"], false);
    world.pilotage(&["rollout", "promote-fully", "api"]).expect(0);
    assert_eq!(live()["status"]["promoteFull"], true);
}

fn flagger(world: &World, kube: &Kube) {
    let print = ["kubernetes", "rollout", "api", "--env", "canaries", "--strategy", "careful"];
    apply(kube, &world.pilotage(&print).expect(0).stdout);
    let status = json!({ "phase": "Progressing", "canaryWeight": 25 });
    write_status(kube, ("flagger.app", "v1beta1"), "canaries", "shop-canaries", &status);
    let live = || object(kube, "canaries.flagger.app", "shop-canaries");
    let order = |verb: &str, code: i32| {
        world.pilotage(&["rollout", verb, "api", "--env", "canaries"]).expect(code).stderr
    };

    let rollout = shown(world, "canaries");
    assert_eq!((&rollout["controller"], &rollout["weight"]), (&json!("flagger"), &json!(25)), "{rollout}");
    let refused = order("promote", 1);
    assert!(refused.contains("pilotage rollout promote-fully"), "{refused}");
    order("abort", 0);
    assert_eq!(live()["status"]["failedChecks"], live()["spec"]["analysis"]["threshold"]);
    order("promote-fully", 0);
    assert_eq!(live()["spec"]["skipAnalysis"], true);
    // The Deployment that would begin again is not there; what begins again is analysed again.
    let failed = order("retry", 1);
    assert!(failed.contains("its Deployment api is not there"), "{failed}");
    assert_eq!(live()["spec"]["skipAnalysis"], false);
}

#[test]
fn where_no_controller_moves_the_traffic_nothing_is_ordered_or_recorded() {
    let world = World::sample("blue-green: { watch: 100ms, soak: 0s }");
    for arguments in [["rollout", "show", "api"], ["rollout", "abort", "api"]] {
        let said = world.pilotage(&arguments).expect(1);
        assert!(said.stderr.contains("`traffic: argo-rollouts`"), "{arguments:?}: {}", said.stderr);
    }
    assert_eq!(orders(&world), Vec::<Value>::new());
    let said = world.pilotage(&["kubernetes", "rollout", "api"]).expect(64);
    assert!(said.stderr.contains("dev leaves rollouts to no controller (`process`)"), "{}", said.stderr);
}
