//! The page on conditions: its file is sound, its cases are right, and what it says of the input is all there is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken helper should fail its test")]

use std::collections::BTreeMap;

use pilotage_policy::{Condition, Table, check, read};
use pilotage_spec::read_document;

const PAGE: &str = include_str!("../../../docs/conditions.md");

fn blocks() -> Vec<&'static str> {
    PAGE.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_case_of_the_page_is_right_even_with_a_field_less() {
    let [file, cases] = blocks()[..] else { panic!("a file and its cases") };
    assert!(check("docs/conditions.md", file).diagnostics.is_empty());
    let conditions: BTreeMap<_, _> = read("docs/conditions.md", file)
        .unwrap()
        .conditions
        .into_iter()
        .map(|(name, condition)| (name, Condition::compile(&condition.when).unwrap()))
        .collect();
    let table = Table::from_document(read_document("docs/conditions.md", cases).unwrap()).unwrap();
    for case in &table.cases {
        assert_eq!(case.run(&conditions, None).unwrap().wrong, None, "{}", case.name);
    }
    let refused = |name| {
        table
            .cases
            .iter()
            .any(|case| &case.condition == name && case.expect != pilotage_policy::Expectation::Allow)
    };
    assert!(conditions.keys().all(refused), "each is shown to refuse, and so tried without each field");
}

#[test]
fn every_field_of_the_input_is_on_the_page() {
    let example: serde_json::Value = serde_json::from_str(include_str!("../src/input.json")).unwrap();
    let names = pilotage_policy::fields(&example);
    let is_told = |place: &&String| {
        let name = place.rsplit('/').next().unwrap();
        PAGE.contains(&format!(".{name}`")) || PAGE.contains(&format!("`{name}`"))
    };
    let parts = ["/format", "/plan", "/facts", "/now", "/plan/strategy"];
    let missing: Vec<_> =
        names.iter().filter(|place| !parts.contains(&place.as_str()) && !is_told(place)).collect();
    assert!(missing.is_empty(), "not on the page: {missing:?}");
}

#[test]
fn a_faulty_expression_is_a_fault_of_the_file_at_its_line() {
    let file = "project: shop\nservices:\n  api: { run: [./api], artifact: api }\nconditions:\n  two:\n    when: plan.replcas >= 2\n    message: run two\n";
    let diagnostics = read("pilotage.yaml", file).unwrap_err();
    let told = diagnostics.to_string();
    assert!(
        told.contains("pilotage.yaml:6:11") && told.contains("`replcas`") && told.contains("replicas"),
        "{told}"
    );
}
