//! The published schema is what is spoken.

use std::path::Path;

use pilotage_targets::contract;
use pilotage_targets::{Fence, LogQuery, Target};
use serde_json::{Value, json};

use crate::support::{set_env, traffic};
use crate::world::{DESCRIBED, DIGEST, NOTHING_THERE, World, release, secret_file, source, version};

/// Set to write the schema anew instead of comparing it.
const WRITE: &str = "PILOTAGE_WRITE_SCHEMA";

fn published() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command-target.schema.json")
}

/// Whether a value is valid as one of the definitions.
fn check(definition: &str, value: &Value) -> Result<(), String> {
    let mut schema = contract::schema();
    schema["oneOf"] = json!([{ "$ref": format!("#/$defs/{definition}") }]);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(value).map(|fault| fault.to_string()).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n")) }
}

#[test]
fn the_published_schema_is_up_to_date() {
    let text = serde_json::to_string_pretty(&contract::schema()).unwrap() + "\n";
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(published(), &text).unwrap();
    }
    let published = std::fs::read_to_string(published()).unwrap_or_default();
    assert!(published == text, "docs/command-target.schema.json is old; run this test once with {WRITE}=1");
}

#[tokio::test]
async fn every_request_is_as_the_schema_says() {
    let staged = format!(r#"{{"contract": 1, "staged": {{"digest": "{DIGEST}"}}}}"#);
    let routed = r#"{"contract": 1, "routed": {"listen": "127.0.0.1:8080"}}"#;
    let lines = r#"{"contract": 1, "lines": []}"#;
    let world = World::answering(&[
        ("describe", DESCRIBED),
        ("stage", &staged),
        ("observe", NOTHING_THERE),
        ("route", routed),
        ("logs", lines),
    ]);
    let (target, workload, fence) = (&world.target, world.workload(), Fence(1));
    let mut release = release();
    set_env(&mut release, "PASSWORD", secret_file("password"));
    let mut traffic = traffic(&[("1.0.0", 10_000)]);
    traffic.cohorts = serde_json::from_value(json!([{
        "name": "staff", "version": "1.0.0", "share": 10_000,
        "when": [{"source": {"header": "x-staff"}, "test": {"present": true}},
                 {"source": {"cookie": "ring"}, "test": {"prefix": "in"}},
                 {"source": {"query": "ring"}, "test": {"equals": "inner"}}],
    }]))
    .unwrap();
    target.stage(&workload, &source("/srv/api")).await.unwrap();
    target.ensure(&workload, &release, 1, fence).await.unwrap();
    target.observe(&workload).await.unwrap();
    target.check_route(&workload, &traffic).await.unwrap();
    target.route(&workload, &traffic, fence).await.unwrap();
    target.retire(&workload, &version("1.0.0"), 0, fence).await.unwrap();
    target.remove(&workload, fence).await.unwrap();
    target.logs(&workload, &LogQuery { lines: 10, ..LogQuery::default() }).await.unwrap();
    for verb in ["describe", "stage", "ensure", "observe", "check_route", "route", "retire", "remove", "logs"]
    {
        let request = world.requests(verb).into_iter().next().unwrap_or_else(|| panic!("no {verb}"));
        check("Request", &request).unwrap_or_else(|fault| panic!("{verb}: {fault}\n{request}"));
    }
}

#[test]
fn answers_are_told_apart_from_what_is_none() {
    let instance =
        json!({"name": "a", "version": "1.0.0", "digest": DIGEST, "state": "ready", "started_at": null});
    let good = [
        json!({"contract": 1}),
        json!({"contract": 1, "observation": {"instances": [instance], "traffic": null}, "later": 1}),
        json!({"contract": 1, "pending": {"message": "draining"}}),
    ];
    let bad = [
        json!({}),
        json!({"contract": 1, "observation": {"instances": [{"name": "a"}]}}),
        json!({"contract": 1, "error": {"kind": "odd", "message": "?"}}),
    ];
    good.iter().for_each(|answer| check("Answer", answer).unwrap());
    bad.iter().for_each(|answer| assert!(check("Answer", answer).is_err(), "{answer}"));
}
