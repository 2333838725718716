//! Whatever the input and whatever the text: no panic, and no pass but by `true`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken helper should fail its test")]

use pilotage_policy::{Condition, Decision, fields, without};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Conditions as teams write them; each mentions what it needs outright.
const CONDITIONS: [&str; 8] = [
    "size(facts.approvals) >= 2 && facts.approvals.exists(a, 'sre' in a.groups)",
    "facts.approvals.all(a, a.principal != facts.author)",
    "plan.strategy.kind in ['canary', 'rolling'] && plan.strategy.shares[0] <= 5",
    "now.weekday in ['Monday', 'Tuesday', 'Wednesday', 'Thursday'] || now.weekday == 'Friday' && now.hour < 12",
    "facts.ticket.state == 'Approved' && facts.ticket.key.matches('^CHG-[0-9]+$')",
    "facts.rehearsed && 'staging' in facts.passed_in",
    "facts.requester.kind == 'person' && facts.requester.principal != facts.author",
    "plan.replicas * 2 > 3 && plan.from != null",
];

fn example() -> Value {
    serde_json::from_str(include_str!("../src/input.json")).unwrap()
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop_oneof!["Approved", "sre", "staging", "canary", "Monday"].prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let names = prop_oneof!["[a-z_]{1,8}", "approvals|groups|state|key|kind|shares|ticket|rehearsed"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// A place of the example and what stands there instead.
fn disturbed() -> impl Strategy<Value = Value> {
    let places = fields(&example());
    prop::collection::vec((prop::sample::select(places), any_json()), 1..4).prop_map(|changes| {
        changes.into_iter().fold(example(), |mut input, (place, value)| {
            if let Some(there) = input.pointer_mut(&place) {
                *there = value;
            }
            input
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_input_makes_a_condition_panic(input in any_json(), wrapped in any_json()) {
        for text in CONDITIONS {
            let condition = Condition::compile(text).unwrap();
            let inputs = [input.clone(), json!({ "plan": wrapped, "facts": input, "now": {} })];
            for input in inputs {
                let decision = condition.evaluate(&input);
                prop_assert!(decision.reason() != Some("the interpreter failed"), "{text}: {input}");
            }
        }
    }

    #[test]
    fn what_is_disturbed_passes_only_with_every_field_it_asks_for(input in disturbed()) {
        for text in CONDITIONS {
            let condition = Condition::compile(text).unwrap();
            if condition.evaluate(&input).allows() {
                // What it is given is all it knows: the negation of a pass is a refusal.
                let negated = Condition::compile(&format!("!({text})")).unwrap();
                let decision = negated.evaluate(&input);
                prop_assert!(matches!(decision, Decision::Deny { .. }), "{text}: {decision:?} over {input}");
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,120}") {
        let _ = Condition::compile(&text);
    }

    #[test]
    fn no_text_of_the_language_s_own_signs_makes_it_panic_or_pass_by_error(
        words in prop::collection::vec(prop::sample::select(vec![
            "plan", "facts", "now", ".", "replicas", "approvals", "exists", "map", "(", ")", "[", "]", "{", "}", "a", ",",
            "&&", "||", "!", "==", "<", "+", "-", "/", "%", "?", ":", "in", "1", "0", "'x'", "null", "true", "size", "matches",
        ]), 0..24),
    ) {
        if let Ok(condition) = Condition::compile(&words.join(" ")) {
            let decision = condition.evaluate(&example());
            prop_assert!(decision.reason() != Some("the interpreter failed"), "{words:?}");
        }
    }
}

#[test]
fn no_field_that_is_taken_out_makes_a_pass_of_a_refusal() {
    let refusing = [
        json!({ "plan": { "strategy": { "kind": "recreate", "shares": [100] }, "replicas": 1, "from": null } }),
        json!({ "facts": { "approvals": [], "rehearsed": false, "passed_in": [], "ticket": { "state": "New" } } }),
        json!({ "facts": { "approvals": [{ "principal": "ada", "groups": [] }], "requester": { "kind": "agent" } } }),
        json!({ "now": { "weekday": "Friday", "hour": 13 } }),
        json!({ "now": { "weekday": "Sunday" } }),
    ];
    let mut refusals = 0;
    for text in CONDITIONS {
        let condition = Condition::compile(text).unwrap();
        for changes in &refusing {
            let mut input = example();
            lay_over(&mut input, changes);
            if condition.evaluate(&input).allows() {
                continue;
            }
            refusals += 1;
            for place in fields(&input) {
                let decision = condition.evaluate(&without(&input, &place));
                assert!(!decision.allows(), "{text} allows without {place}");
            }
        }
        // What passes does so by what is there: there is a field without which it does not.
        let passing = example();
        if condition.evaluate(&passing).allows() {
            assert!(
                fields(&passing).iter().any(|place| !condition.evaluate(&without(&passing, place)).allows())
            );
        }
    }
    assert!(refusals >= CONDITIONS.len(), "each condition refuses something");
}

fn lay_over(document: &mut Value, changes: &Value) {
    match (document, changes) {
        (Value::Object(fields), Value::Object(changes)) => {
            for (name, change) in changes {
                lay_over(fields.entry(name.clone()).or_insert(Value::Null), change);
            }
        }
        (document, changes) => *document = changes.clone(),
    }
}
