//! Inputs with a field taken out: none of them may turn a refusal into a pass.

use serde_json::Value;

/// Every field of a document as a JSON pointer (RFC 6901), those within lists too.
pub fn fields(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(document, "", &mut found);
    found
}

fn collect(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
                collect(field, &place, found);
                found.push(place);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{place}/{index}"), found);
            }
        }
        _ => {}
    }
}

/// The document without the field at a pointer.
pub fn without(document: &Value, pointer: &str) -> Value {
    let mut document = document.clone();
    let Some((owner, name)) = pointer.rsplit_once('/') else { return document };
    let name = name.replace("~1", "/").replace("~0", "~");
    if let Some(Value::Object(fields)) = document.pointer_mut(owner) {
        fields.remove(&name);
    }
    document
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_is_found_and_taken_out() {
        let document = json!({ "a": { "b/c": 1, "d": [{ "e": 2 }, 3] } });
        let found = fields(&document);
        assert_eq!(found, ["/a/b~1c", "/a/d/0/e", "/a/d", "/a"]);
        assert_eq!(without(&document, "/a/b~1c"), json!({ "a": { "d": [{ "e": 2 }, 3] } }));
        assert_eq!(without(&document, "/a/d/0/e"), json!({ "a": { "b/c": 1, "d": [{}, 3] } }));
        assert_eq!(without(&document, "/a"), json!({}));
        assert_eq!(without(&document, "/nothing/here"), document);
    }
}
