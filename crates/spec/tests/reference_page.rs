//! The reference page shows files that work, and names every key there is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]
#![allow(clippy::disallowed_methods, reason = "the examples are files; the crate itself touches none")]

use std::collections::BTreeSet;

use pilotage_spec::{check, json_schema};
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/pilotage-yaml.md");

#[test]
fn the_examples_are_read_without_a_word() {
    let blocks: Vec<&str> =
        PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 9);
    for text in blocks {
        let checked = check("docs/pilotage-yaml.md", text);
        assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics);
    }
}

#[test]
fn every_file_of_the_page_on_strategies_is_read_without_a_word() {
    let page = include_str!("../../../docs/strategies.md");
    let blocks: Vec<&str> =
        page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), page.matches("\n## ").count() + 1, "one a strategy, and two canaries");
    for text in blocks {
        let checked = check("docs/strategies.md", text);
        assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics);
    }
}

#[test]
fn every_file_of_the_page_on_secrets_is_read_without_a_word() {
    let page = include_str!("../../../docs/secrets.md");
    let blocks: Vec<&str> =
        page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert_eq!(blocks.len(), 6);
    for text in blocks {
        let checked = check("docs/secrets.md", text);
        assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics);
    }
}

#[test]
fn the_example_projects_are_read_without_a_word() {
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples");
    let files: Vec<_> = std::fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("pilotage.yaml"))
        .filter(|file| file.exists())
        .collect();
    assert!(files.iter().any(|file| file.ends_with("shop/pilotage.yaml")), "{files:?}");
    for file in files {
        let checked = check(&file.to_string_lossy(), &std::fs::read_to_string(&file).unwrap());
        assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics);
    }
}

#[test]
fn every_key_is_named() {
    fn collect(schema: &Value, keys: &mut BTreeSet<String>) {
        match schema {
            Value::Object(object) => {
                if let Some(properties) = object.get("properties").and_then(Value::as_object) {
                    keys.extend(properties.keys().cloned());
                }
                object.values().for_each(|part| collect(part, keys));
            }
            Value::Array(parts) => parts.iter().for_each(|part| collect(part, keys)),
            _ => {}
        }
    }
    let mut keys = BTreeSet::new();
    collect(&json_schema(), &mut keys);
    let missing: Vec<&String> = keys
        .iter()
        .filter(|key| !PAGE.contains(&format!("`{key}`")) && !PAGE.contains(&format!("{key}:")))
        .collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}
