//! Conditions as a team writes them: what each says, and what none of them can do.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a broken helper should fail its test")]

use std::collections::HashSet;

use pilotage_policy::{Condition, Decision, TEXT_LIMIT_BYTES};
use serde_json::{Value, json};

fn example() -> Value {
    serde_json::from_str(include_str!("../src/input.json")).unwrap()
}

fn said(text: &str, input: &Value) -> Decision {
    Condition::compile(text).unwrap_or_else(|error| panic!("{text}: {error}")).evaluate(input)
}

fn refused(text: &str) -> String {
    match Condition::compile(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_vector_gives_what_is_expected_of_it() {
    let vectors: Vec<(String, String)> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let input = example();
    let expressions: HashSet<&String> = vectors.iter().map(|(text, _)| text).collect();
    assert_eq!(expressions.len(), vectors.len(), "no vector is there twice");
    let wrong: Vec<String> = vectors
        .iter()
        .map(|(text, expected)| (text, expected, said(text, &input)))
        .filter(|(_, expected, decision)| decision.word() != expected.as_str())
        .map(|(text, expected, decision)| format!("{text}: expected {expected}, not {decision:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_refusal_names_the_part_that_is_false() {
    let decision = said("plan.replicas >= 2 && now.weekday != 'Friday' && true", &example());
    assert_eq!(decision.reason(), Some("`now.weekday != 'Friday'` is false"));
    for part in [
        "size(facts.approvals) > 5",
        "facts.approvals.exists(a, 'ops' in a.groups)",
        "plan.strategy.kind in ['rolling']",
        "plan.service.startsWith('web')",
    ] {
        let reason = format!("`{part}` is false");
        assert_eq!(said(part, &example()).reason(), Some(reason.as_str()));
        let decision = said(&format!("true && {part} && facts.rehearsed"), &example());
        assert_eq!(decision.reason(), Some(reason.as_str()));
    }
}

#[test]
fn what_is_not_known_is_an_error_that_names_it() {
    let condition = Condition::compile("facts.rehearsed").unwrap();
    let decision = condition.evaluate(&json!({ "plan": {}, "facts": {}, "now": {} }));
    assert_eq!(decision, Decision::Error { reason: "there is no field `rehearsed`".to_owned() });
    for input in [json!(null), json!([]), json!("facts"), json!({}), json!({ "facts": null })] {
        assert!(matches!(condition.evaluate(&input), Decision::Error { .. }), "{input}");
    }
    for value in [json!(null), json!("true"), json!(1), json!([true]), json!({ "true": true })] {
        let input = json!({ "facts": { "rehearsed": value } });
        assert!(matches!(condition.evaluate(&input), Decision::Error { .. }), "{input}");
    }
}

#[test]
fn a_slip_is_found_with_its_place_before_a_deployment_depends_on_it() {
    let error = Condition::compile("plan.replicas >= 2 &&\n  plan.servce == 'api'").unwrap_err();
    assert_eq!(error.fault, "there is no field `servce`");
    assert!(error.mend.contains("service"), "{error}");
    assert_eq!(error.line, 2);
    assert!(refused("replicas > 2").contains("the name `replicas` is not known"));
    assert!(refused("now() > 1").contains("the function `now` is not known"));
    assert!(refused("facts.approvals.exists(a, b.groups)").contains("the name `b`"));
    assert!(refused("a.b.exists(a, true)").contains("the name `a`"));
    assert!(refused("plan.replicas >=").contains("line 1"));
    assert!(refused("plan.service.matches(plan.version)").contains("must be written out"));
    assert!(refused("plan.service.matches('(')").contains("not a pattern"));
    assert!(refused("duration('1h') > duration('1m')").contains("not known"));
    assert!(refused("google.protobuf.Value{}").contains("cannot be written"));
}

#[test]
fn what_is_too_long_too_deep_or_not_what_it_seems_is_refused_before_it_is_parsed() {
    assert!(refused("").contains("empty"));
    assert!(refused(&format!("true{}", " ".repeat(TEXT_LIMIT_BYTES))).contains("bytes"));
    assert!(refused(&format!("{}true{}", "(".repeat(500), ")".repeat(500))).contains("too deep"));
    assert!(refused(&"[".repeat(4000)).contains("too deep"));
    assert!(refused(&format!("{}true", "!".repeat(4000))).contains("too deep"));
    assert!(refused(&format!("{}1 == 1", "- ".repeat(2000))).contains("too deep"));
    assert!(Condition::compile(&format!("[1].all(a, a{} == 1)", ".a".repeat(1500))).is_err());
    assert!(refused("plan.service == 'a\u{202e}b'").contains("U+202E"));
    assert!(refused("true\0").contains("U+0000"));
    assert!(refused("tr\u{200b}ue").contains("U+200B"));
    let conditional = "true ? ".repeat(300) + "true" + &" : true".repeat(300);
    assert!(Condition::compile(&conditional).is_err());
}

#[test]
fn loops_within_loops_are_limited() {
    let three = "[1].all(a, [1].all(b, [1].all(c, true)))";
    assert!(refused(three).contains("nested too deep"));
    assert_eq!(said("[1].all(a, [1].all(b, true))", &example()), Decision::Allow);
}

#[test]
fn an_expression_that_would_run_long_is_not_begun() {
    let mut input = example();
    input["facts"]["passed_in"] = (0..1_000).map(|n| json!(format!("e{n}"))).collect();
    let too_much = Decision::Error { reason: "it would be too much work for this input".to_owned() };
    let pairs = "facts.passed_in.all(a, facts.passed_in.all(b, a != b + 'x'))";
    assert_eq!(said(pairs, &input), too_much);
    assert_eq!(said("facts.passed_in.all(a, a != '')", &input), Decision::Allow);
    assert_eq!(said("facts.passed_in.all(a, a.matches('^e'))", &input), too_much);
    // Each step makes ten lists of one: as a value it would have more items than any memory has room for.
    let growth = format!("size([1]{}) > 0", ".map(x, [x, x, x, x, x, x, x, x, x, x])".repeat(80));
    assert_eq!(said(&growth, &input), too_much);
    let doubling = format!("size(['xxxxxxxxxxxxxxxx']{}[0]) > 0", ".map(x, x + x)".repeat(40));
    assert_eq!(said(&doubling, &input), too_much);
    let grown_range = "facts.passed_in.map(a, facts.passed_in).exists(a, a.exists(b, b == ''))";
    assert_eq!(said(grown_range, &input), too_much);
}

#[test]
fn patterns_that_are_known_to_be_costly_are_refused_or_cheap() {
    assert!(refused(&format!("plan.service.matches('{}')", "a".repeat(300))).contains("too long"));
    assert!(refused("plan.service.matches('((a{1000}){1000}){1000}')").contains("not a pattern"));
    // Exponential where an engine goes back; linear here.
    let mut input = example();
    input["plan"]["service"] = json!("a".repeat(30_000));
    assert_eq!(said("plan.service.matches('^(a+)+$')", &input), Decision::Allow);
}

#[test]
fn an_input_larger_than_any_deployment_has_is_refused() {
    let condition = Condition::compile("true").unwrap();
    let deep = (0..100).fold(json!(1), |inner, _| json!([inner]));
    let rows: Value = (0..900).map(|_| json!((0..30).collect::<Vec<u32>>())).collect();
    let fields: serde_json::Map<String, Value> = (0..2_000).map(|n| (n.to_string(), json!(n))).collect();
    for (input, words) in [
        (json!({ "facts": (0..2_000).collect::<Vec<u32>>() }), "list"),
        (json!({ "facts": "x".repeat(100_000) }), "text"),
        (json!({ "facts": deep }), "deeper"),
        (json!({ "facts": rows }), "values"),
        (json!({ "facts": fields }), "fields"),
    ] {
        let decision = condition.evaluate(&input);
        assert!(decision.reason().unwrap().contains(words) && !decision.allows(), "{decision:?}");
    }
}
