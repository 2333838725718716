use proptest::prelude::*;
use serde_json::{Value, json};

use super::read_stream;

fn read(text: &str) -> Vec<Value> {
    read_stream("a.yaml", text).unwrap().into_iter().map(|document| document.value).collect()
}

fn fault(text: &str) -> String {
    read_stream("a.yaml", text).unwrap_err().to_string()
}

#[test]
fn several_documents_are_read_and_empty_ones_left_out() {
    let documents =
        read_stream("a.yaml", "# nothing\n---\na: 1\n---\n---\n# nor here\n---\nb:\n  - 2\n").unwrap();
    let values: Vec<&Value> = documents.iter().map(|document| &document.value).collect();
    assert_eq!(values, [&json!({ "a": 1 }), &json!({ "b": [2] })]);
    assert_eq!(documents[1].place.line, 8);
    assert!(documents[1].place.document > documents[0].place.document);
    assert!(read("").is_empty() && read("---\n").is_empty() && read("# only words\n").is_empty());
}

#[test]
fn scalars_mean_what_they_mean_to_kubectl() {
    let cases = [
        ("0644", json!(420)),
        ("0o644", json!(420)),
        ("0x1F", json!(31)),
        ("0b11", json!(3)),
        ("-12", json!(-12)),
        ("+12", json!(12)),
        ("1_000", json!(1000)),
        ("18446744073709551615", json!(u64::MAX)),
        ("1e3", json!(1000)),
        ("08", json!(8)),
        ("1.5", json!(1.5)),
        (".5", json!(0.5)),
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("~", Value::Null),
        ("'yes'", json!("yes")),
        ("\"0644\"", json!("0644")),
        ("!!str 0644", json!("0644")),
        ("!!int 3", json!(3)),
        ("2026-11-22", json!("2026-11-22")),
        ("10.0.0.1", json!("10.0.0.1")),
        ("100m", json!("100m")),
        ("1Gi", json!("1Gi")),
        ("0x", json!("0x")),
        ("-", json!([null])),
        ("--1", json!("--1")),
        ("1e", json!("1e")),
    ];
    for (text, expected) in cases {
        let found = if text == "-" { read("v:\n  -\n") } else { read(&format!("v: {text}\n")) };
        assert_eq!(found, [json!({ "v": expected })], "{text}");
    }
}

#[test]
fn anchors_and_merge_keys_are_resolved() {
    let text = "base: &base { cpu: 1, memory: 2 }\nother: &other { memory: 3, disk: 4 }\n\
                a: { <<: *base, memory: 9 }\nb: { <<: [*base, *other] }\nc: *base\nd: { \"<<\": text }\n";
    let expected = json!({
        "base": { "cpu": 1, "memory": 2 }, "other": { "memory": 3, "disk": 4 },
        "a": { "memory": 9, "cpu": 1 },
        "b": { "cpu": 1, "memory": 2, "disk": 4 },
        "c": { "cpu": 1, "memory": 2 },
        "d": { "<<": "text" },
    });
    assert_eq!(read(text), [expected]);
}

#[test]
fn a_key_that_is_written_twice_is_named_with_both_lines() {
    let text = fault("kind: Deployment\nspec:\n  replicas: 1\n  replicas: 2\n");
    assert_eq!(
        text,
        "a.yaml, document 1, line 4: `replicas` is written twice, first in line 3; keep one of the two"
    );
    assert!(fault("a: { b: 1, b: 2 }").contains("`b` is written twice"));
    assert!(fault("x: &x {}\na: { <<: *x, <<: *x }").contains("`<<` is written twice"));
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let cases = [
        ("a: [1\nb: 2\n", "not valid YAML"),
        ("ok: 1\n---\nb: [2\n", "document 2"),
        ("a: *nowhere\n", "not valid YAML"),
        ("a: &a [*a]\n", "inside of what it stands for"),
        ("? [a]\n: b\n", "a key must be a text"),
        ("a: !!binary aGk=\n", "tags other than"),
        ("a: !Ref x\n", "tags other than"),
        ("a: !!int x\n", "this is no `int`"),
        ("a: .inf\n", "JSON does not have"),
        ("a: 1e999\n", "too large"),
        ("x: &x 1\na: { <<: *x }\n", "`<<` takes a mapping"),
    ];
    for (text, expected) in cases {
        let fault = fault(text);
        assert!(fault.starts_with("a.yaml, document ") && fault.contains(expected), "{text:?}: {fault}");
    }
}

#[test]
fn aliases_that_grow_by_doubling_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let before = level - 1;
        bomb += &format!("a{level}: &a{level} [{}]\n", vec![format!("*a{before}"); 10].join(", "));
    }
    assert!(fault(&bomb).contains("stands for more than"), "{}", fault(&bomb));
}

#[test]
fn what_is_nested_too_deep_is_refused_behind_aliases_too() {
    assert!(fault(&format!("{}{}", "[".repeat(200), "]".repeat(200))).contains("deeper than"));
    let mut chain = "a0: &a0 [x]\n".to_owned();
    for level in 1..200 {
        chain += &format!("a{level}: &a{level} [*a{}]\n", level - 1);
    }
    assert!(fault(&chain).contains("deeper than"));
}

/// Any value that an object may hold.
fn values() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        "[ -~]{0,12}".prop_map(Value::String),
        any::<String>().prop_map(Value::String),
    ];
    scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map("[ -~]{0,8}", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn json_is_read_as_itself(value in prop::collection::btree_map("[a-z]{1,6}", values(), 1..4)) {
        let value = Value::Object(value.into_iter().collect());
        // Keys of more than a thousand characters aside, JSON is YAML.
        prop_assert_eq!(read(&serde_json::to_string_pretty(&value).unwrap()), [value]);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-:\\[\\]{}&*!|>'\"%@`,#? \\t\\na-c0-9<._~]{0,80}") {
        let _ = read_stream("a.yaml", &text);
    }
}
