use std::time::Duration;

use pilotage_spec::{
    Comparison, Metric, MetricLimit, MetricSource, Prometheus, Stage, Strategy, StrategyKind,
};
use serde_json::{Value, json};

use super::super::testing::{shown, version, workload};
use super::*;
use crate::traffic::handed_over::HandedOver;

const MINUTE: Duration = Duration::from_secs(60);

pub(crate) fn objects(strategy: &Strategy, provider: &str) -> Result<HandedOver, String> {
    let request = CanaryRequest {
        project: &"shop".parse().unwrap(),
        workload: &workload(),
        namespace: "shop",
        version: Some(&version("2.0.0")),
        strategy,
        provider,
        deployment: "api",
        container_port: 8080,
        prometheus: Some(&Prometheus { url: "http://prometheus:9090".to_owned(), token: None }),
    };
    request.objects().map_err(|error| error.to_string())
}

pub(crate) fn canary() -> Strategy {
    let kind = StrategyKind::Canary { steps: vec![500, 2_500, 10_000] };
    let mut strategy = Strategy::new(kind, 5 * MINUTE, 15 * MINUTE);
    strategy.roll_back_when.metrics = vec![Metric {
        name: "queue length".to_owned(),
        source: MetricSource::Query("sum(queue{service=\"$SERVICE\"})".to_owned()),
        compare: Comparison::Value,
        limit: MetricLimit::Above(1000.0),
        critical: true,
        weight: 1_000,
        group: None,
        dry_run: false,
    }];
    strategy
}

#[test]
fn a_canary_becomes_weights_and_metrics() {
    let handed = objects(&canary(), "istio").unwrap();
    let shown: Vec<String> = handed.objects.iter().map(shown).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn blue_green_looks_once_before_the_switch() {
    let handed = objects(&Strategy::new(StrategyKind::BlueGreen, MINUTE, MINUTE), "kubernetes").unwrap();
    let analysis = &handed.objects[0]["spec"]["analysis"];
    assert_eq!(*analysis, json!({ "interval": "60s", "iterations": 1, "threshold": 1 }));
}

#[test]
fn metrics_that_decide_nothing_by_themselves_stay_with_us() {
    let mut strategy = canary();
    strategy.roll_back_when.metrics[0].dry_run = true;
    let handed = objects(&strategy, "istio").unwrap();
    assert_eq!(handed.objects.len(), 1);
    assert!(handed.left.iter().any(|left| left.contains("`queue length`")), "{:?}", handed.left);
}

#[test]
fn what_flagger_has_no_words_for_is_refused_with_what_to_do() {
    let refusal = objects(&canary(), "kubernetes").unwrap_err();
    assert!(refusal.contains("use blue-green, or another provider"), "{refusal}");
    let stages =
        vec![Stage::Share { share: 1_000, watch: MINUTE }, Stage::Share { share: 2_000, watch: 2 * MINUTE }];
    let refusal =
        objects(&Strategy::new(StrategyKind::Steps { stages }, MINUTE, MINUTE), "istio").unwrap_err();
    assert!(refusal.contains("watched for different times"), "{refusal}");
    let mut templated = canary();
    templated.roll_back_when.metrics[0].source = MetricSource::Query("sum(x{{y}})".to_owned());
    let refusal = objects(&templated, "istio").unwrap_err();
    assert!(refusal.contains("Flagger would fill in"), "{refusal}");
}

fn canary_with(status: Value) -> Value {
    json!({
        "spec": { "targetRef": { "name": "api" }, "analysis": { "threshold": 5 } },
        "status": status,
    })
}

#[test]
fn the_status_is_read_in_flaggers_words() {
    let promoted = json!({ "type": "Promoted", "status": "Unknown", "reason": "Progressing", "message": "New revision" });
    let state = CanaryState::of(&canary_with(json!({
        "phase": "Progressing", "canaryWeight": 25, "failedChecks": 2, "iterations": 0, "conditions": [promoted],
    })));
    assert_eq!((state.phase, state.weight, state.failed_checks), (CanaryPhase::Progressing, 25, 2));
    assert_eq!((state.threshold, state.message.as_str()), (5, "New revision"));
    assert!(state.phase.is_moving() && !CanaryPhase::Succeeded.is_moving());
    assert_eq!(CanaryState::of(&canary_with(json!({}))).phase, CanaryPhase::Unknown);
}

#[test]
fn an_abort_fails_as_many_checks_as_may_fail() {
    let change = |status: Value| drive::change(&canary_with(status), &CanaryOrder::Abort);
    let failed = drive::Change::Status(json!({ "status": { "failedChecks": 5 } }));
    assert_eq!(change(json!({ "phase": "Progressing" })), Ok(Some(failed)));
    assert_eq!(change(json!({ "phase": "Succeeded" })), Ok(None), "nothing is on its way");
    let refusal = change(json!({ "phase": "Promoting" })).unwrap_err().to_string();
    assert!(refusal.contains("deploy the older version"), "{refusal}");
}

#[test]
fn promotion_skips_the_analysis_and_a_retry_marks_the_pods() {
    let canary = canary_with(json!({ "phase": "Progressing" }));
    let change = |order| drive::change(&canary, &order).unwrap();
    let marked = |mark: Value| json!({ "annotations": { "pilotage.dev/promoted": mark } });
    let skip = json!({ "metadata": marked(json!("true")), "spec": { "skipAnalysis": true } });
    assert_eq!(change(CanaryOrder::Promote), Some(drive::Change::Canary(skip)));
    assert_eq!(change(CanaryOrder::Analyse), None, "it is analysed");
    let template = json!({ "metadata": { "annotations": { "pilotage.dev/retry": "7" } } });
    let marked = drive::Change::Deployment("api".to_owned(), json!({ "spec": { "template": template } }));
    assert_eq!(change(CanaryOrder::Retry("7".to_owned())), Some(marked));
}

#[test]
fn a_promotion_is_of_one_release_and_a_teams_own_settings_stay() {
    let mut canary = canary_with(json!({ "phase": "Succeeded" }));
    canary["spec"]["skipAnalysis"] = json!(true);
    assert_eq!(drive::change(&canary, &CanaryOrder::Analyse), Ok(None), "the team wants it so");
    canary["metadata"] = json!({ "annotations": { "pilotage.dev/promoted": "true" } });
    let again = json!({
        "metadata": { "annotations": { "pilotage.dev/promoted": null } }, "spec": { "skipAnalysis": false },
    });
    let again = drive::Change::Canary(again);
    assert_eq!(drive::change(&canary, &CanaryOrder::Analyse), Ok(Some(again)));
}
