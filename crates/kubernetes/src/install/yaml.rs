//! Writing YAML, for people to read. What is written is the part of YAML 1.2 that JSON is, in block style, with plain words where
//! nobody could read them as anything else.

use std::fmt::Write;

use serde_json::Value;

/// A document without its `---`, ending with a line break.
pub fn to_yaml(value: &Value) -> String {
    let mut text = String::new();
    node(&mut text, value, 0, Place::Line);
    text
}

/// Where a value begins.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// At the beginning of a line.
    Line,
    /// After `key:`.
    Key,
    /// After `-` and a space.
    Item,
}

fn node(text: &mut String, value: &Value, depth: usize, place: Place) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            if place == Place::Key {
                text.push('\n');
            }
            for (index, (name, value)) in fields.iter().enumerate() {
                if place != Place::Item || index > 0 {
                    indent(text, depth);
                }
                // Writing to a String cannot fail.
                let _ = write!(text, "{}:", scalar(name));
                node(text, value, depth + 1, Place::Key);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            if place == Place::Item {
                // The space after the dash.
                text.pop();
            }
            if place != Place::Line {
                text.push('\n');
            }
            // Items of a key stand below it, as Kubernetes' own examples have them.
            let depth = if place == Place::Key { depth - 1 } else { depth };
            for item in items {
                indent(text, depth);
                text.push_str("- ");
                node(text, item, depth + 1, Place::Item);
            }
        }
        plain => {
            if place == Place::Key {
                text.push(' ');
            }
            let _ = match plain {
                Value::String(words) => writeln!(text, "{}", scalar(words)),
                other => writeln!(text, "{other}"),
            };
        }
    }
}

fn indent(text: &mut String, depth: usize) {
    (0..depth).for_each(|_| text.push_str("  "));
}

fn scalar(words: &str) -> String {
    if is_plain(words) {
        words.to_owned()
    } else {
        // A text in JSON's quotes is one in YAML's.
        Value::from(words).to_string()
    }
}

/// Whether everybody reads the words as a text, and as this one: a letter or `/` first, then nothing that YAML gives a meaning to,
/// and none of the words that one of its versions reads as something else.
fn is_plain(words: &str) -> bool {
    const OTHERWISE: [&str; 11] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan"];
    let mut letters = words.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '/')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || "-_./".contains(letter))
        && !OTHERWISE.contains(&words.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_and_lists_stand_as_people_write_them() {
        let value = json!({
            "kind": "Role",
            "empty": {},
            "none": [],
            "rules": [{ "verbs": ["get", "list"], "count": 2 }, ["a", ["b"]]],
            "spec": { "on": true, "words": { "deep": null } },
        });
        assert_eq!(
            to_yaml(&value),
            "kind: Role\nempty: {}\nnone: []\nrules:\n- verbs:\n  - get\n  - list\n  count: 2\n-\n  - a\n  -\n    - b\n\
             spec:\n  \"on\": true\n  words:\n    deep: null\n"
        );
    }

    #[test]
    fn what_could_be_read_as_something_else_is_quoted() {
        for plain in ["Role", "apps/v1", "/ready", "kube-root-ca.crt", "a_b"] {
            assert_eq!(scalar(plain), plain);
        }
        for (words, quoted) in [
            ("", "\"\""),
            ("1.20", "\"1.20\""),
            ("yes", "\"yes\""),
            ("No", "\"No\""),
            ("0.0.0.0:80", "\"0.0.0.0:80\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("-", "\"-\""),
            ("{x}", "\"{x}\""),
            ("a\"b\n", "\"a\\\"b\\n\""),
        ] {
            assert_eq!(scalar(words), quoted);
        }
    }
}
