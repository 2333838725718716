//! A team's own conditions, by the command line.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use serde_json::{Value, json};
use world::World;

const FILE: &str = "\
project: shop
services:
  api: { run: [./api], artifact: api }
conditions:
  two-instances: { when: plan.replicas >= 2, message: run at least two instances }
  no-rehearsal: { when: '!has(facts.rehearsed)', message: never rehearse }
";

#[test]
fn a_table_of_cases_is_run_and_a_wrong_one_is_told() {
    let world = World::with(FILE);
    world.write("tables/input.json", &json!({ "plan": { "replicas": 2 } }).to_string());
    world.write(
        "tables/right.yaml",
        "- { name: two, condition: two-instances, input_file: input.json, expect: allow }\n\
         - { name: one, condition: two-instances, input_file: input.json, input: { plan: { replicas: 1 } }, expect: deny }\n\
         - { name: nothing, condition: two-instances, input: {}, expect: error }\n",
    );
    let said = world.pilotage(&["policy", "test", "tables/right.yaml"]).expect(0);
    let lines = [
        "✓ two: two-instances says allow",
        "✓ one: two-instances says deny",
        "✓ nothing: two-instances says error",
        "3 cases right",
    ];
    assert_eq!(said.stdout.lines().collect::<Vec<_>>(), lines);

    let wrong = json!([
        { "name": "one", "condition": "two-instances", "input": { "plan": { "replicas": 1 } }, "expect": "allow" },
        { "name": "gone", "condition": "no-rehearsal", "input": { "facts": { "rehearsed": false } }, "expect": "deny" },
    ]);
    world.write("wrong.json", &wrong.to_string());
    let said = world.pilotage(&["policy", "test", "wrong.json"]).expect(1);
    let lines = [
        "✗ one: two-instances: expected allow, and it says deny: `plan.replicas >= 2` is false",
        "✗ gone: no-rehearsal: without the field /facts/rehearsed it would allow; what is not known must never let a \
         deployment pass",
        "2 of 2 cases wrong",
    ];
    assert_eq!(said.stdout.lines().collect::<Vec<_>>(), lines);
    let said = world.pilotage(&["policy", "test", "wrong.json", "--output", "json"]).expect(1);
    let objects: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects[0]["decision"], "deny");
    assert_eq!(objects[2], json!({ "cases": 2, "wrong": 2 }));
}

#[test]
fn a_table_that_makes_no_sense_is_told_with_its_place() {
    let world = World::with(FILE);
    for (table, words) in [
        (
            "- { name: a, condition: three, input: {}, expect: deny }",
            "`three`, which is not in the project's file",
        ),
        ("- { name: a, condition: two-instances, expect: deny }", "neither `input` nor `input_file`"),
        ("- { name: a, condition: two-instances, input_file: ../x, expect: deny }", "`..` is not allowed"),
        ("- { name: a, condition: two-instances, input_file: gone.json, expect: deny }", "gone.json"),
        ("cases: []", "not a table"),
        ("- &a 1", "table.yaml:1"),
    ] {
        world.write("table.yaml", table);
        let said = world.pilotage(&["policy", "test", "table.yaml"]).expect(64);
        assert!(said.stderr.contains(words), "{table}: {}", said.stderr);
        assert_eq!(said.stdout, "");
    }
}

#[test]
fn check_finds_an_expression_that_cannot_be_used() {
    let world = World::with(&FILE.replace("plan.replicas >= 2", "plan.replicas >> 2"));
    let said = world.pilotage(&["check"]).expect(64);
    assert!(
        said.stdout.contains("pilotage.yaml:5:26") && said.stdout.contains("two-instances"),
        "{}",
        said.stdout
    );
    world.write("pilotage.yaml", &FILE.replace("plan.replicas", "plan.replica"));
    let said = world.pilotage(&["check"]).expect(64);
    assert!(said.stdout.contains("there is no field `replica`"), "{}", said.stdout);
}
