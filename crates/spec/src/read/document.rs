//! Documents of any shape, read as strictly as the project's file: no anchors, no tags, no key twice, limits on size and depth.

use serde_json::{Map, Number, Value};

use super::fault::Faults;
use super::node::{Kind, Node, Scalar};
use super::parse::parse;
use crate::diagnostic::Diagnostics;

/// Reads YAML, and thereby JSON. Without quotes, `true`, `false` and numbers are what they look like.
///
/// # Errors
/// Every fault of its syntax, each with its place. `file_name` is how messages call it.
pub fn read_document(file_name: &str, text: &str) -> Result<Value, Diagnostics> {
    let mut faults = Faults::default();
    match parse(text, &mut faults) {
        Some(tree) if faults.errors() == 0 => Ok(json(tree)),
        _ => Err(Diagnostics::new(file_name, text, faults.into_list())),
    }
}

fn json(node: Node) -> Value {
    match node.kind {
        Kind::Empty | Kind::Refused => Value::Null,
        Kind::Scalar(scalar) => scalar_value(scalar),
        Kind::List(items) => items.into_iter().map(json).collect(),
        Kind::Map(entries) => {
            let fields: Map<String, Value> =
                entries.into_iter().map(|entry| (entry.key, json(entry.value))).collect();
            Value::Object(fields)
        }
    }
}

fn scalar_value(scalar: Scalar) -> Value {
    let Scalar { text, plain } = scalar;
    if !plain {
        return Value::String(text);
    }
    match text.as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        // As JSON writes numbers: `010` and `1_000` are texts.
        _ => match serde_json::from_str::<Number>(&text) {
            Ok(number) => Value::Number(number),
            Err(_) => Value::String(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_and_json_give_the_same_document() {
        let yaml =
            "- name: a\n  count: 3\n  share: 0.5\n  on: true\n  old: 010\n  none: null\n  text: \"3\"\n";
        let expected = json!([
            { "name": "a", "count": 3, "share": 0.5, "on": true, "old": "010", "none": null, "text": "3" },
        ]);
        assert_eq!(read_document("a.yaml", yaml).unwrap(), expected);
        assert_eq!(read_document("a.json", &expected.to_string()).unwrap(), expected);
    }

    #[test]
    fn what_reads_differently_from_how_it_looks_is_refused() {
        for text in ["a: &x 1\nb: *x\n", "a: 1\na: 2\n", "a: !!str 1\n", "a: [", ""] {
            assert!(read_document("a.yaml", text).is_err(), "{text:?}");
        }
    }
}
