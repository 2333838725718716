//! Tables of cases.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken helper should fail its test")]

use std::collections::BTreeMap;

use pilotage_policy::{CaseError, Condition, Table};
use serde_json::{Value, json};

fn conditions() -> BTreeMap<pilotage_spec::ConditionName, Condition> {
    let text = |name: &str, when: &str| (name.parse().unwrap(), Condition::compile(when).unwrap());
    BTreeMap::from([
        text("two", "plan.replicas >= 2"),
        text("careless", "!has(facts.rehearsed) && plan.replicas >= 2"),
    ])
}

fn wrong(case: Value) -> Option<String> {
    let table = Table::from_document(json!([case])).unwrap();
    table.cases[0].run(&conditions(), None).unwrap().wrong
}

#[test]
fn a_case_is_right_if_the_condition_says_what_it_expects() {
    let case = |replicas: Value, expect: &str| json!({ "name": "a", "condition": "two", "input": { "plan": { "replicas": replicas } }, "expect": expect });
    assert_eq!(wrong(case(json!(2), "allow")), None);
    assert_eq!(wrong(case(json!(1), "deny")), None);
    assert_eq!(wrong(case(json!("2"), "error")), None);
    let words = wrong(case(json!(1), "allow")).unwrap();
    assert_eq!(words, "expected allow, and it says deny: `plan.replicas >= 2` is false");
}

#[test]
fn a_file_s_input_is_the_ground_on_which_a_case_lays_its_own() {
    let case = json!([{ "name": "a", "condition": "two", "input": { "plan": { "replicas": 5 } }, "expect": "allow" }]);
    let table = Table::from_document(case).unwrap();
    let file = json!({ "plan": { "service": "api", "replicas": 1 } });
    assert_eq!(table.cases[0].run(&conditions(), Some(file)).unwrap().wrong, None);
}

#[test]
fn a_table_that_cannot_be_run_says_why() {
    let table = |document: Value| Table::from_document(document).unwrap_err().to_string();
    assert!(table(json!({})).contains("not a table"));
    assert!(table(json!([])).contains("no cases"));
    assert!(table(json!([{ "name": "a" }])).contains("condition"));
    let case = json!({ "name": "a", "condition": "two", "input": {}, "expect": "maybe" });
    assert!(table(json!([case])).contains("maybe"));
    let case = json!({ "name": "a", "condition": "three", "input": {}, "expect": "deny" });
    let table = Table::from_document(json!([case])).unwrap();
    assert!(matches!(table.cases[0].run(&conditions(), None), Err(CaseError::Unknown { .. })));
    let case = json!({ "name": "a", "condition": "two", "expect": "deny" });
    let table = Table::from_document(json!([case])).unwrap();
    assert_eq!(table.cases[0].run(&conditions(), None), Err(CaseError::NoInput("a".to_owned())));
}

#[test]
fn a_refusal_that_rests_on_a_field_s_presence_is_found_out() {
    let input = json!({ "plan": { "replicas": 2 }, "facts": { "rehearsed": false } });
    let case = json!({ "name": "a", "condition": "careless", "input": input, "expect": "deny" });
    let words = wrong(case).unwrap();
    assert!(words.contains("without the field /facts/rehearsed it would allow"), "{words}");
}
