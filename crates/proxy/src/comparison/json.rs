//! Bodies of JSON, compared by what they say: neither white space nor the order of keys matters.

use std::collections::BTreeSet;

use serde_json::{Number, Value};

use super::pointer::{Pointer, Step, push_step};

/// How two bodies differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Where they do first; none if one of them is not JSON, or is nested more than 127 deep, so that bytes were compared.
    pub(crate) pointer: Option<String>,
}

/// The first difference of two bodies outside what is ignored. Keys come in the order of their bytes, so that it is the
/// same whichever body is named first.
pub(crate) fn difference(one: &[u8], other: &[u8], ignored: &[Pointer]) -> Option<Difference> {
    if one == other {
        return None;
    }
    let (Ok(one), Ok(other)) = (serde_json::from_slice(one), serde_json::from_slice(other)) else {
        return Some(Difference { pointer: None });
    };
    let ignored: Vec<_> = ignored.iter().map(Pointer::steps).collect();
    let mut place = String::new();
    let differs = differs(Some(&one), Some(&other), &ignored, &mut place);
    differs.then_some(Difference { pointer: Some(place) })
}

/// Whether two values differ; then `place`, which leads to them, is made to lead to the first difference. `ignored` are
/// the ways from here. Goes no deeper than the reader of JSON has gone.
fn differs(one: Option<&Value>, other: Option<&Value>, ignored: &[&[Step]], place: &mut String) -> bool {
    match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            keys.into_iter().any(|key| differs_at(key, one.get(key), other.get(key), ignored, place))
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => (0..one.len().max(other.len()))
            .any(|index| differs_at(&index.to_string(), one.get(index), other.get(index), ignored, place)),
        (Some(Value::Number(one)), Some(Value::Number(other))) => !is_same_number(one, other),
        _ => one != other,
    }
}

fn differs_at(
    key: &str,
    one: Option<&Value>,
    other: Option<&Value>,
    ignored: &[&[Step]],
    place: &mut String,
) -> bool {
    let mut ways = Vec::new();
    for way in ignored {
        match way.split_first() {
            Some((step, [])) if step.leads_to(key) => return false,
            Some((step, rest)) if step.leads_to(key) => ways.push(rest),
            _ => {}
        }
    }
    let length = place.len();
    push_step(place, key);
    let differs = differs(one, other, &ways, place);
    if !differs {
        place.truncate(length);
    }
    differs
}

/// 1 and 1.0 are the same number. Beyond 64 bits, numbers are known to 53.
fn is_same_number(one: &Number, other: &Number) -> bool {
    one == other || ((one.is_f64() || other.is_f64()) && one.as_f64() == other.as_f64())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;

    fn pointers(texts: &[&str]) -> Vec<Pointer> {
        texts.iter().map(|text| Pointer::parse(text).unwrap()).collect()
    }

    /// Where the bodies differ; `None` if they do not.
    fn place(one: &Value, other: &Value, ignored: &[&str]) -> Option<String> {
        let difference =
            difference(one.to_string().as_bytes(), other.to_string().as_bytes(), &pointers(ignored));
        difference.map(|difference| difference.pointer.unwrap())
    }

    #[test]
    fn the_first_difference_is_named() {
        let one = json!({ "b": [1, { "c/d": true }], "a": "x" });
        assert_eq!(place(&one, &json!({ "a": "x", "b": [1.0, { "c/d": true }] }), &[]), None);
        assert_eq!(place(&one, &json!({ "a": "x", "b": [1, { "c/d": null }] }), &[]).unwrap(), "/b/1/c~1d");
        assert_eq!(place(&one, &json!({ "a": "x", "b": [1] }), &[]).unwrap(), "/b/1");
        assert_eq!(place(&one, &json!({ "b": [] }), &[]).unwrap(), "/a");
        assert_eq!(place(&one, &json!({ "b": [], "a": "x", "z": null }), &["/b"]).unwrap(), "/z");
        assert_eq!(place(&one, &json!(7), &[]).unwrap(), "", "the whole of it");
        let large = [json!(u64::MAX), json!(u64::MAX - 1)];
        assert_eq!(place(&large[0], &large[1], &[]).unwrap(), "");
    }

    #[test]
    fn what_is_ignored_may_differ_or_be_missing() {
        let one = json!({ "time": 1, "items": [{ "id": 1, "name": "a" }, { "id": 2, "name": "b" }] });
        let other = json!({ "items": [{ "id": 8, "name": "a" }, { "name": "b" }] });
        assert_eq!(place(&one, &other, &["/time", "/items/*/id"]), None);
        assert_eq!(place(&one, &other, &["/time", "/items/0/id"]).unwrap(), "/items/1/id");
        assert_eq!(place(&one, &other, &["/time", "/*/*/id"]), None);
        assert_eq!(place(&one, &json!({ "items": [] }), &["/time", "/items/*"]), None);
        assert_eq!(place(&json!([1]), &json!({ "0": 1 }), &["/*"]).unwrap(), "", "a list is no object");
    }

    #[test]
    fn what_is_no_json_is_compared_by_its_bytes() {
        let unread = Some(Difference { pointer: None });
        assert_eq!(difference(b"{", b"{", &[]), None);
        assert_eq!(difference(b"{", b"{}", &[]), unread);
        assert_eq!(difference(b"\"\xff\"", b"\"\"", &[]), unread);
        let deep = b"[".repeat(100_000);
        assert_eq!(difference(&deep, &deep[1..], &[]), unread);
        let closed = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
        assert_eq!(difference(&closed(50_000), &closed(49_999), &[]), unread);
        assert!(difference(&closed(100), &closed(101), &[]).unwrap().pointer.is_some());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(Value::from),
            "[a-c~/*]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec(("[a-c~/*]{0,2}", inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    /// The same with every object's keys the other way round.
    fn turned(value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                let fields: Map<_, _> =
                    fields.iter().rev().map(|(key, value)| (key.clone(), turned(value))).collect();
                Value::Object(fields)
            }
            Value::Array(values) => values.iter().map(turned).collect(),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn a_body_is_equal_to_itself_however_it_is_written(value in any_json()) {
            let other = serde_json::to_string_pretty(&turned(&value)).unwrap();
            prop_assert_eq!(difference(value.to_string().as_bytes(), other.as_bytes(), &[]), None);
        }

        #[test]
        fn it_does_not_matter_which_is_named_first(one in any_json(), other in any_json()) {
            prop_assert_eq!(place(&one, &other, &["/a", "/*/b"]), place(&other, &one, &["/a", "/*/b"]));
        }

        #[test]
        fn ignoring_the_difference_finds_another_or_none(one in any_json(), other in any_json()) {
            if let Some(first) = place(&one, &other, &[]).filter(|place| !place.is_empty()) {
                prop_assert_ne!(place(&one, &other, &[&first]), Some(first.clone()));
                prop_assert_eq!(place(&one, &one, &[&first]), None);
            }
        }
    }
}
