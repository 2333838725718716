use std::time::Duration;

use pilotage_spec::{
    Comparison, Metric, MetricLimit, MetricSource, Prometheus, RollingUnit, Stage, Strategy, StrategyKind,
};
use serde_json::{Value, json};

use super::super::testing::{shown, version, workload};
use super::*;
use crate::traffic::handed_over::HandedOver;

const MINUTE: Duration = Duration::from_secs(60);

fn metric(name: &str, limit: MetricLimit) -> Metric {
    Metric {
        name: name.to_owned(),
        source: MetricSource::Query("sum(queue{service=\"$SERVICE\",version=\"$VERSION\"})".to_owned()),
        compare: Comparison::Value,
        limit,
        critical: true,
        weight: 1_000,
        group: None,
        dry_run: false,
    }
}

pub(crate) fn objects(strategy: &Strategy) -> Result<HandedOver, String> {
    let request = RolloutRequest {
        project: &"shop".parse().unwrap(),
        workload: &workload(),
        namespace: "shop",
        version: Some(&version("2.0.0")),
        strategy,
        replicas: 3,
        pods: WorkloadReference {
            deployment: "api".to_owned(),
            selector: [("app".to_owned(), "api".to_owned())].into(),
        },
        prometheus: Some(&Prometheus { url: "http://prometheus:9090".to_owned(), token: None }),
    };
    request.objects().map_err(|error| error.to_string())
}

pub(crate) fn canary() -> Strategy {
    let kind = StrategyKind::Canary { steps: vec![500, 2_500, 10_000] };
    let mut strategy = Strategy::new(kind, 5 * MINUTE, 15 * MINUTE);
    strategy.roll_back_when.metrics = vec![
        metric("queue", MetricLimit::Above(1000.0)),
        metric("orders", MetricLimit::Outside { below: 0.5, above: 2.0 }),
    ];
    strategy.roll_back_when.metrics[1].dry_run = true;
    strategy
}

pub(crate) fn blue_green() -> Strategy {
    let mut strategy = Strategy::new(StrategyKind::BlueGreen, MINUTE, 15 * MINUTE);
    strategy.hold = true;
    strategy
}

#[test]
fn a_canary_becomes_steps_and_an_analysis() {
    let handed = objects(&canary()).unwrap();
    let shown: Vec<String> = handed.objects.iter().map(shown).collect();
    insta::assert_snapshot!(shown.join("\n"));
    assert!(handed.left.contains(&"trigger `errors_vs_stable`".to_owned()), "{:?}", handed.left);
}

#[test]
fn objects_for_every_version_name_none() {
    let (project, workload) = ("shop".parse().unwrap(), workload());
    let pods = WorkloadReference { deployment: "api".to_owned(), selector: [].into() };
    let request = |strategy: &Strategy| {
        let request = RolloutRequest {
            project: &project,
            workload: &workload,
            namespace: "shop",
            version: None,
            strategy,
            replicas: 3,
            pods: pods.clone(),
            prometheus: Some(&Prometheus { url: "http://prometheus:9090".to_owned(), token: None }),
        };
        request.objects().map_err(|error| error.to_string())
    };
    let refusal = request(&canary()).unwrap_err();
    assert!(refusal.contains("`$VERSION`") && refusal.contains("say which version"), "{refusal}");
    let mut plain = canary();
    for metric in &mut plain.roll_back_when.metrics {
        metric.source = MetricSource::Query("sum(queue{service=\"$SERVICE\"})".to_owned());
    }
    assert_eq!(request(&plain).unwrap().objects.len(), 2);
}

#[test]
fn blue_green_becomes_two_services_and_a_pause() {
    insta::assert_snapshot!(shown(&objects(&blue_green()).unwrap().objects[0]));
}

#[test]
fn rolling_and_a_teams_own_steps_have_their_words() {
    let kind =
        StrategyKind::Rolling { max_surge: RollingUnit::Percent(25), max_unavailable: RollingUnit::Count(0) };
    let rolling = objects(&Strategy::new(kind, MINUTE, MINUTE)).unwrap();
    assert_eq!(
        rolling.objects[0]["spec"]["strategy"]["canary"],
        json!({ "maxSurge": "25%", "maxUnavailable": 0 })
    );
    let stages = vec![
        Stage::Share { share: 1_000, watch: MINUTE },
        Stage::Hold,
        Stage::Share { share: 10_000, watch: MINUTE },
    ];
    let steps = objects(&Strategy::new(StrategyKind::Steps { stages }, MINUTE, MINUTE)).unwrap();
    let expected = json!([{ "setWeight": 10 }, { "pause": { "duration": "60s" } }, { "pause": {} }]);
    assert_eq!(steps.objects[0]["spec"]["strategy"]["canary"]["steps"], expected);
}

#[test]
fn what_argo_has_no_words_for_is_refused_with_what_to_do() {
    let parts = StrategyKind::Canary { steps: vec![50, 10_000] };
    let refusal = objects(&Strategy::new(parts, MINUTE, MINUTE)).unwrap_err();
    assert!(refusal.contains("0.50 %") && refusal.contains("whole percents"), "{refusal}");
    let smoke = StrategyKind::Steps { stages: vec![Stage::Smoke] };
    let refusal = objects(&Strategy::new(smoke, MINUTE, MINUTE)).unwrap_err();
    assert!(refusal.contains("smoke suite"), "{refusal}");
    let refusal = objects(&Strategy::new(StrategyKind::Recreate, MINUTE, MINUTE)).unwrap_err();
    assert!(refusal.contains("`recreate`"), "{refusal}");
}

/// A Rollout of three steps as its controller leaves it.
fn rollout(status: Value) -> Value {
    let steps = json!([{ "setWeight": 5 }, { "pause": {} }, { "setWeight": 50 }]);
    json!({
        "metadata": { "generation": 4 },
        "spec": { "strategy": { "canary": { "steps": steps } } },
        "status": status,
    })
}

fn state(status: Value) -> RolloutState {
    RolloutState::of(&rollout(status))
}

#[test]
fn what_was_said_of_an_older_spec_does_not_count() {
    let said = |observed: Value| state(json!({ "observedGeneration": observed, "phase": "Healthy" })).phase;
    assert_eq!(said(json!("4")), RolloutPhase::Healthy);
    assert_eq!(said(json!(4)), RolloutPhase::Healthy, "some write a number");
    assert_eq!(said(json!("3")), RolloutPhase::Progressing);
    assert_eq!(said(json!("6b7f9d")), RolloutPhase::Healthy, "before 0.10 it was a digest");
    assert_eq!(state(json!({ "phase": "Healthy" })).phase, RolloutPhase::Progressing, "nobody has looked");
}

#[test]
fn a_pause_says_what_it_waits_for_and_at_which_weight() {
    let paused = state(json!({
        "observedGeneration": "4", "phase": "Paused", "message": "CanaryPauseStep", "currentStepIndex": 1,
        "controllerPause": true, "currentPodHash": "b", "stableRS": "a",
        "pauseConditions": [{ "reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z" }],
    }));
    assert_eq!((paused.phase, paused.weight, paused.steps), (RolloutPhase::Paused, 5, (1, 3)));
    assert_eq!(paused.waits_for, ["CanaryPauseStep"]);
    let ending = state(json!({ "observedGeneration": "4", "phase": "Paused", "controllerPause": true }));
    assert_eq!(ending.phase, RolloutPhase::Progressing, "somebody has ended the pause");
}

#[test]
fn an_abort_and_a_promotion_by_hand_are_seen() {
    let aborted = state(json!({
        "observedGeneration": "4", "phase": "Degraded", "abort": true, "currentPodHash": "b", "stableRS": "a",
        "message": "RolloutAborted: Rollout aborted update to revision 2", "currentStepIndex": 2,
    }));
    assert!(aborted.aborted && aborted.weight == 0 && aborted.phase == RolloutPhase::Degraded);
    let promoted = state(json!({
        "observedGeneration": "4", "phase": "Healthy", "currentPodHash": "b", "stableRS": "b", "currentStepIndex": 3,
    }));
    assert!(promoted.promoted && promoted.weight == 100);
    let weights =
        json!({ "canary": { "weights": { "canary": { "weight": 37 }, "stable": { "weight": 63 } } } });
    assert_eq!(state(weights).weight, 37, "what the controller says of its router is right");
}

#[test]
fn orders_are_the_patches_of_argos_own_command_line() {
    let patches = |status: Value, order: RolloutOrder| drive::patches(&rollout(status), order);
    let only = |status: bool, change: Value| vec![drive::OrderPatch { status, change }];
    assert_eq!(patches(json!({}), RolloutOrder::Abort), only(true, json!({ "status": { "abort": true } })));
    assert_eq!(patches(json!({}), RolloutOrder::Retry), only(true, json!({ "status": { "abort": false } })));
    let full = patches(json!({ "currentPodHash": "b", "stableRS": "a" }), RolloutOrder::PromoteFully);
    assert_eq!(full, only(true, json!({ "status": { "promoteFull": true } })));
    assert!(
        patches(json!({ "currentPodHash": "b", "stableRS": "b" }), RolloutOrder::PromoteFully).is_empty()
    );
    let paused = json!({ "pauseConditions": [{ "reason": "CanaryPauseStep" }], "currentStepIndex": 1 });
    let ends = only(true, json!({ "status": { "pauseConditions": null } }));
    assert_eq!(patches(paused, RolloutOrder::Promote), ends, "out of the pause, and no step further");
    let running = patches(json!({ "currentStepIndex": 2 }), RolloutOrder::Promote);
    assert_eq!(running, only(true, json!({ "status": { "pauseConditions": null, "currentStepIndex": 3 } })));
}

#[test]
fn a_pause_by_hand_is_ended_in_the_spec() {
    let mut rollout = rollout(json!({ "pauseConditions": [{ "reason": "CanaryPauseStep" }] }));
    rollout["spec"]["paused"] = json!(true);
    let patches = drive::patches(&rollout, RolloutOrder::Promote);
    let last = drive::OrderPatch { status: false, change: json!({ "spec": { "paused": false } }) };
    assert_eq!(patches.last(), Some(&last));
}
