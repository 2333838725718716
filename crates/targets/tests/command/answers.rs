//! Answers of all kinds.

use pilotage_spec::Weights;
use pilotage_targets::{Address, Fence, InstanceState, LogQuery, Target, TargetError};

use crate::world::{DESCRIBED, DIGEST, DONE, NOTHING_THERE, World, release, source, version};

fn error(kind: &str) -> String {
    format!(
        r#"{{"contract": 1, "error": {{"kind": "{kind}", "message": "the pool is full", "mend": "add nodes", "held": 9}}}}"#
    )
}

#[tokio::test]
async fn an_observation_is_taken_as_it_is_and_unknown_fields_are_tolerated() {
    let world = World::answering(&[(
        "observe",
        &format!(
            r#"{{"contract": 1, "later": {{}}, "observation": {{"instances": [
                {{"name": "a", "version": "1.0.0", "digest": "{DIGEST}", "state": "ready", "address": "10.0.0.7:80",
                  "started_at": "2026-07-01T09:30:00.25+02:00", "restarts": 2, "zone": "b"}},
                {{"name": "b", "version": "1.0.0", "digest": "{DIGEST}", "state": "waiting", "reason": "no room"}},
                {{"name": "c", "version": "1.0.0", "digest": "{DIGEST}", "state": "failed"}}]}}}}"#
        ),
    )]);
    let seen = world.target.observe(&world.workload()).await.unwrap();
    assert_eq!(seen.traffic, None);
    let [a, b, c] = seen.instances.as_slice() else { panic!("{seen:?}") };
    assert_eq!(
        (a.release.version.clone(), a.restarts, &a.state),
        (version("1.0.0"), 2, &InstanceState::Ready)
    );
    assert_eq!(a.address, Some(Address::Tcp("10.0.0.7:80".parse().unwrap())));
    assert_eq!(a.started_at.unwrap().as_micros(), 1_782_891_000_250_000);
    assert_eq!(b.state, InstanceState::Waiting { reason: "no room".to_owned() });
    assert_eq!(c.state, InstanceState::Failed { reason: "no reason was given".to_owned() });
    let request = &world.requests("observe")[0];
    assert_eq!(request["contract"], 1);
    assert_eq!(request["project"], "shop");
    assert_eq!(request["workload"], serde_json::json!({"environment": "test", "service": "api"}));
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_that_shows_the_line() {
    let cases = [
        ("{\"contract\": 1,\n \"observation\": {\"instances\": 7}}", "line 2, column"),
        ("sorry\n", "line 1, column 1: expected value: sorry"),
        ("", "nothing was written"),
        (r#"{"contract": 1} {}"#, "trailing characters"),
        (
            r#"{"contract": 2, "observation": []}"#,
            "it speaks version 2 of the contract, and 1 is spoken here",
        ),
        (r#"{"observation": {"instances": []}}"#, "missing field `contract`"),
        (DONE, "its answer to `observe` has no `observation`"),
        (
            r#"{"contract": 1, "observation": {"instances": [{"name": "a", "version": "latest"}]}}"#,
            "`latest`",
        ),
    ];
    for (answer, expected) in cases {
        let world = World::answering(&[("observe", answer)]);
        let error = world.target.observe(&world.workload()).await.unwrap_err();
        assert!(matches!(error, TargetError::Refused { .. }), "{error:?}");
        assert!(error.to_string().contains(expected), "{answer}: {error}");
        assert_eq!(world.requests("observe").len(), 1, "asking again cannot help: {answer}");
    }
}

#[tokio::test]
async fn errors_are_of_their_kinds() {
    let refusal = async |kind: &str| {
        let world = World::answering(&[("check_route", &error(kind))]);
        let traffic = crate::support::traffic(&[("1.0.0", 10_000)]);
        let error = world.target.check_route(&world.workload(), &traffic).await.unwrap_err();
        (error, world.requests("check_route").len())
    };
    for kind in ["permanent", "unsupported"] {
        let (error, asked) = refusal(kind).await;
        let TargetError::Refused { reason, .. } = &error else { panic!("{error:?}") };
        assert_eq!((reason.as_str(), asked), ("the pool is full; add nodes", 1));
    }
    let (error, asked) = refusal("fenced").await;
    assert!(matches!(error, TargetError::Fenced { held: 9, .. }) && asked == 1, "{error:?}");
    let (error, asked) = refusal("transient").await;
    let TargetError::Unreachable { reason, .. } = &error else { panic!("{error:?}") };
    assert!(reason.contains("the pool is full; add nodes"), "{error}");
    assert_eq!(asked, 4, "it may work in a moment");
}

#[tokio::test]
async fn what_the_program_can_do_is_found_out_before_a_plan() {
    let described = r#"{"contract": 1, "description": {"weights": "by_replicas", "mirror": true}}"#;
    let staged = format!(r#"{{"contract": 1, "staged": {{"digest": "{DIGEST}"}}}}"#);
    let world = World::answering(&[("describe", described), ("stage", &staged)]);
    let staged = world.target.stage(&world.workload(), &source("/srv/api")).await.unwrap();
    assert_eq!(staged.digest.to_string(), DIGEST);
    let can = world.target.capabilities(&world.workload()).await.unwrap();
    assert_eq!(
        (can.weights, can.mirror, can.cohorts, can.counters),
        (Weights::ByReplicas, true, false, false)
    );
    assert_eq!(world.requests("describe").len(), 1);
    let request = &world.requests("stage")[0];
    assert_eq!(request["artifact"], serde_json::json!({"path": "/srv/api"}));
    assert_eq!(request["version"], "1.0.0");
}

#[tokio::test]
async fn a_program_that_cannot_say_what_it_can_do_stages_nothing() {
    let world = World::answering(&[("describe", r#"{"contract": 1, "description": {}}"#)]);
    let error = world.target.stage(&world.workload(), &source("/srv/api")).await.unwrap_err();
    assert!(error.to_string().contains("missing field `weights`"), "{error}");
    assert!(world.requests("stage").is_empty());
}

#[tokio::test]
async fn of_the_lines_only_those_that_were_asked_for_are_told() {
    let line = |at: u32, version: &str| {
        format!(
            r#"{{"at": "2026-07-01T09:30:{at:02}Z", "instance": "a", "version": "{version}", "text": "{at}"}}"#
        )
    };
    let lines = [line(3, "1.0.0"), line(1, "1.0.0"), line(2, "1.1.0"), line(4, "1.0.0"), line(5, "1.0.0")];
    let answer = format!(r#"{{"contract": 1, "lines": [{}]}}"#, lines.join(","));
    let world = World::answering(&[("logs", &answer)]);
    let after = pilotage_spec::Timestamp::from_micros(1_782_898_201_000_000);
    let query = LogQuery { version: Some(version("1.0.0")), lines: 2, after: Some(after) };
    let told = world.target.logs(&world.workload(), &query).await.unwrap();
    let texts: Vec<&str> = told.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["4", "5"]);
    let asked = &world.requests("logs")[0]["query"];
    assert_eq!(*asked, serde_json::json!({"version": "1.0.0", "lines": 2, "after": "2026-07-01T09:30:01Z"}));
}

#[tokio::test]
async fn a_release_is_told_with_all_that_is_needed_to_run_it() {
    let world = World::answering(&[("describe", DESCRIBED), ("observe", NOTHING_THERE)]);
    world.target.ensure(&world.workload(), &release(), 2, Fence(7)).await.unwrap();
    let request = &world.requests("ensure")[0];
    assert_eq!((&request["fence"], &request["replicas"]), (&7.into(), &2.into()));
    assert_eq!(
        request["release"],
        serde_json::json!({
            "version": "1.0.0", "digest": DIGEST, "run": ["./api"], "env": {},
            "health": {"live": "/live", "ready": "/ready", "interval_ms": 50, "timeout_ms": 5000},
            "resources": {}, "stop_grace_ms": 5000, "start_timeout_ms": 30000, "protocol": "http1",
        })
    );
}
