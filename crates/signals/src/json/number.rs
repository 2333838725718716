//! One number out of a document.

use serde_json::Value;

use super::JsonError;

/// The number at a JSON pointer (RFC 6901); the empty pointer is the whole document. A number in JSON is always finite.
pub(super) fn number_at(document: &Value, pointer: &str) -> Result<f64, JsonError> {
    let Some(value) = document.pointer(pointer) else {
        return Err(JsonError::Missing { pointer: pointer.to_owned(), instead: instead(document, pointer) });
    };
    value.as_f64().ok_or_else(|| JsonError::NotANumber { pointer: pointer.to_owned(), found: kind(value) })
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// What the document has as far as the pointer leads.
fn instead(document: &Value, pointer: &str) -> String {
    /// So many keys help; more are not read.
    const KEYS: usize = 8;
    let mut place = pointer;
    let deepest = loop {
        match place.rsplit_once('/') {
            Some((above, _)) => place = above,
            None => break document,
        }
        if let Some(found) = document.pointer(place) {
            break found;
        }
    };
    let at = if place.is_empty() { "at its top".to_owned() } else { format!("at `{place}`") };
    match deepest {
        Value::Object(object) if object.is_empty() => format!("{at} is an empty object"),
        Value::Object(object) => {
            let mut keys: Vec<String> = object.keys().map(|key| shown(key)).collect();
            keys.sort_unstable();
            keys.truncate(KEYS);
            let more = if object.len() > KEYS { " and more" } else { "" };
            format!("{at} it has {}{more}", keys.join(", "))
        }
        Value::Array(list) => format!("{at} is a list of {}, counted from 0", list.len()),
        other => format!("{at} is {}", kind(other)),
    }
}

/// A key as it stands in a pointer, shortened and without control characters.
fn shown(key: &str) -> String {
    let escaped = key.replace('~', "~0").replace('/', "~1");
    let short: String = escaped.chars().take(40).map(|c| if c.is_control() { '�' } else { c }).collect();
    format!("`{short}`")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pointer_leads_to_its_number() {
        let document =
            json!({ "orders": { "rate": 4.5 }, "list": [1, -2], "a/b~c": 7, "": 8, "big": u64::MAX });
        for (pointer, number) in [
            ("/orders/rate", 4.5),
            ("/list/1", -2.0),
            ("/a~1b~0c", 7.0),
            ("/", 8.0),
            ("/big", 1.844_674_407_370_955_2e19),
        ] {
            assert_eq!(number_at(&document, pointer), Ok(number), "{pointer}");
        }
        assert_eq!(number_at(&json!(3), ""), Ok(3.0));
    }

    #[test]
    fn a_place_that_is_not_there_is_told_with_what_is_there_instead() {
        let document = json!({ "orders": { "rate": 4.5, "a/b": 1 }, "list": [1, 2], "none": {} });
        let message = |pointer: &str| number_at(&document, pointer).unwrap_err().to_string();
        insta::assert_snapshot!(message("/orders/count"), @"there is nothing at `/orders/count` in the document; at `/orders` it has `a~1b`, `rate`");
        insta::assert_snapshot!(message("/list/2"), @"there is nothing at `/list/2` in the document; at `/list` is a list of 2, counted from 0");
        insta::assert_snapshot!(message("/orders/rate/x"), @"there is nothing at `/orders/rate/x` in the document; at `/orders/rate` is a number");
        insta::assert_snapshot!(message("/none/a/b"), @"there is nothing at `/none/a/b` in the document; at `/none` is an empty object");
        insta::assert_snapshot!(message("/nothing"), @"there is nothing at `/nothing` in the document; at its top it has `list`, `none`, `orders`");
    }

    #[test]
    fn what_is_no_number_is_named() {
        let document = json!({ "a": null, "b": true, "c": "12", "d": [1], "e": { "f": 1 } });
        for (pointer, found) in
            [("/a", "null"), ("/b", "a truth value"), ("/c", "a text"), ("/d", "a list"), ("/e", "an object")]
        {
            let error = number_at(&document, pointer).unwrap_err();
            assert_eq!(error, JsonError::NotANumber { pointer: pointer.to_owned(), found });
        }
    }
}
