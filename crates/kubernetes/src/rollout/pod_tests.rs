use std::time::Duration;

use serde_json::{Value, json};

use super::*;

const LIMIT: Duration = Duration::from_secs(60);

/// Half a minute after the pods of these tests were made.
fn soon() -> Timestamp {
    at("2026-01-01T00:00:30Z")
}

/// Long after.
fn late() -> Timestamp {
    at("2026-01-01T01:00:00Z")
}

fn at(text: &str) -> Timestamp {
    let time: Time = serde_json::from_value(json!(text)).unwrap();
    timestamp(&time)
}

fn pod(status: Value) -> Pod {
    serde_json::from_value(json!({
        "metadata": {"name": "api-1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": []},
        "status": status
    }))
    .unwrap()
}

fn container(state: Value, ready: bool, restarts: i32) -> Value {
    json!({"name": "service", "image": "", "imageID": "", "ready": ready, "restartCount": restarts, "state": state,
           "lastState": {"terminated": {"exitCode": 3, "reason": "Error", "startedAt": "2026-01-01T00:00:01Z"}}})
}

fn with_container(state: Value, restarts: i32) -> Pod {
    pod(json!({
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        "containerStatuses": [container(state, false, restarts)]
    }))
}

#[test]
fn ready_is_what_its_condition_says() {
    let ready = pod(json!({"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}));
    assert_eq!(state(&ready, LIMIT, late()), PodState::Ready);
}

#[test]
fn one_that_is_made_starts_until_its_time_is_over() {
    let made = with_container(json!({"waiting": {"reason": "ContainerCreating"}}), 0);
    assert_eq!(state(&made, LIMIT, soon()), PodState::Starting);
    let running = with_container(json!({"running": {"startedAt": "2026-01-01T00:00:02Z"}}), 0);
    assert_eq!(state(&running, LIMIT, soon()), PodState::Starting);
    assert_eq!(state(&running, LIMIT, late()), PodState::Failed(Trouble::Probe));
}

#[test]
fn one_that_was_ready_is_told_from_one_that_never_was() {
    let mut status = json!({
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:20Z"}],
        "containerStatuses": [container(json!({"running": {"startedAt": "2026-01-01T00:00:02Z"}}), false, 0)]
    });
    assert_eq!(state(&pod(status.clone()), LIMIT, late()), PodState::Unready);
    // It ended meanwhile, and starts again.
    status["containerStatuses"][0]["state"]["running"]["startedAt"] = json!("2026-01-01T00:00:21Z");
    assert_eq!(state(&pod(status), LIMIT, soon()), PodState::Starting);
}

#[test]
fn no_node_that_can_take_it_is_told_with_the_reason() {
    let why = "0/1 nodes are available: 1 Insufficient cpu.";
    let pending = pod(json!({"phase": "Pending", "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": why}
    ]}));
    let trouble = Trouble::Unschedulable(why.to_owned());
    assert_eq!(state(&pending, LIMIT, soon()), PodState::Held(trouble.clone()));
    assert_eq!(state(&pending, LIMIT, late()), PodState::Failed(trouble));
}

#[test]
fn an_image_that_is_not_there_is_given_up_and_a_registry_that_is_away_is_not() {
    let pulls = |reason: &str, message: &str| {
        with_container(json!({"waiting": {"reason": reason, "message": message}}), 0)
    };
    let gone = pulls("ErrImagePull", "manifest unknown: manifest unknown");
    assert!(matches!(state(&gone, LIMIT, soon()), PodState::Failed(Trouble::Image(_))));
    let away = pulls("ImagePullBackOff", "dial tcp 10.0.0.1:443: i/o timeout");
    assert!(matches!(state(&away, LIMIT, soon()), PodState::Held(Trouble::Image(_))));
    assert!(matches!(state(&away, LIMIT, late()), PodState::Failed(Trouble::Image(_))));
    let odd = pulls("InvalidImageName", "couldn't parse image reference");
    assert!(matches!(state(&odd, LIMIT, soon()), PodState::Failed(Trouble::Image(_))));
}

#[test]
fn a_crash_is_a_loop_once_it_repeats() {
    let backs_off = |restarts| with_container(json!({"waiting": {"reason": "CrashLoopBackOff"}}), restarts);
    let crash = |restarts| Trouble::Crash {
        container: "service".to_owned(),
        ended: "it ended with exit code 3".to_owned(),
        restarts,
    };
    assert_eq!(state(&backs_off(1), LIMIT, soon()), PodState::Held(crash(1)));
    assert_eq!(state(&backs_off(2), LIMIT, soon()), PodState::Failed(crash(2)));
}

#[test]
fn a_container_without_memory_says_so() {
    let killed = json!({"terminated": {"exitCode": 137, "reason": "OOMKilled"}});
    let PodState::Held(Trouble::Crash { ended, .. }) = state(&with_container(killed, 0), LIMIT, soon())
    else {
        panic!("it is not held up");
    };
    assert_eq!(ended, "it needed more memory than its limit and was killed");
}

#[test]
fn a_missing_secret_may_still_come() {
    let waits =
        json!({"waiting": {"reason": "CreateContainerConfigError", "message": "secret \"x\" not found"}});
    let held = with_container(waits, 0);
    assert!(matches!(state(&held, LIMIT, soon()), PodState::Held(Trouble::Configuration(_))));
}

#[test]
fn a_pod_whose_node_does_not_answer_is_lost() {
    // The node's controller takes its readiness away, and nothing else changes.
    let cut_off = pod(json!({
        "phase": "Running",
        "conditions": [
            {"type": "Ready", "status": "False", "lastTransitionTime": "2026-01-01T00:00:20Z"},
            {"type": "ContainersReady", "status": "True"}
        ],
        "containerStatuses": [container(json!({"running": {"startedAt": "2026-01-01T00:00:02Z"}}), true, 0)]
    }));
    assert_eq!(state(&cut_off, LIMIT, soon()), PodState::Lost);
    assert_eq!(state(&pod(json!({"phase": "Unknown"})), LIMIT, soon()), PodState::Lost);
}

#[test]
fn one_that_is_deleted_stops_until_it_is_overdue() {
    let mut stopping = pod(json!({"phase": "Running"}));
    stopping.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:20Z")).unwrap();
    assert_eq!(state(&stopping, LIMIT, soon()), PodState::Stopping);
    assert_eq!(state(&stopping, LIMIT, late()), PodState::Lost);
}

#[test]
fn one_that_was_told_to_end_has_stopped_once_its_containers_have() {
    let mut pod = with_container(json!({"terminated": {"exitCode": 137}}), 0);
    pod.spec.as_mut().unwrap().node_name = Some("node".to_owned());
    assert!(!has_stopped(&pod));
    pod.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-01T00:00:20Z")).unwrap();
    assert!(has_stopped(&pod));
    let mut running = with_container(json!({"running": {}}), 0);
    running.spec.as_mut().unwrap().node_name = Some("node".to_owned());
    running.metadata.deletion_timestamp = pod.metadata.deletion_timestamp.clone();
    assert!(!has_stopped(&running));
    let mut removed = with_container(json!({"waiting": {"reason": "ContainerCreating"}}), 0);
    removed.spec.as_mut().unwrap().node_name = Some("node".to_owned());
    removed.metadata.deletion_timestamp = pod.metadata.deletion_timestamp;
    assert!(has_stopped(&removed));
    removed.status.as_mut().unwrap().container_statuses.as_mut().unwrap()[0].last_state = None;
    assert!(!has_stopped(&removed), "it may be about to start");
}

#[test]
fn an_eviction_is_told() {
    let evicted = pod(
        json!({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}),
    );
    let trouble = Trouble::Ended("Evicted: The node was low on resource: memory.".to_owned());
    assert_eq!(state(&evicted, LIMIT, soon()), PodState::Failed(trouble));
}

#[test]
fn what_fails_before_the_service_is_told_as_well() {
    let status = json!({
        "phase": "Pending",
        "initContainerStatuses": [container(json!({"waiting": {"reason": "CrashLoopBackOff"}}), false, 4)],
        "containerStatuses": [container(json!({"waiting": {"reason": "PodInitializing"}}), false, 0)]
    });
    assert!(matches!(
        state(&pod(status), LIMIT, soon()),
        PodState::Failed(Trouble::Crash { restarts: 4, .. })
    ));
}
