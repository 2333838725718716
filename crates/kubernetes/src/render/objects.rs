//! Objects of Kubernetes, as far as all of them are alike.

use std::fmt;

use serde_json::Value;

use super::RenderError;
use super::yaml::Document;

/// The most objects of one rendering.
const OBJECT_LIMIT: usize = 5_000;

/// What an object is, and how it is called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObjectName<'a> {
    pub(crate) group: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) name: &'a str,
}

impl<'a> ObjectName<'a> {
    /// Of an object that has been checked; empty texts for what is missing.
    pub(crate) fn of(object: &'a Value) -> Self {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let group = text("/apiVersion").split_once('/').map_or("", |(group, _)| group);
        Self { group, kind: text("/kind"), name: text("/metadata/name") }
    }
}

impl fmt::Display for ObjectName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |text: &str| -> String { text.chars().take(253).flat_map(char::escape_debug).collect() };
        write!(f, "{} {}", shown(self.kind), shown(self.name))
    }
}

/// The documents with those of lists in their place.
pub(super) fn flatten(documents: Vec<Document>) -> Result<Vec<Document>, RenderError> {
    let mut objects = Vec::new();
    for document in documents {
        flatten_into(document, &mut objects)?;
    }
    Ok(objects)
}

fn flatten_into(document: Document, objects: &mut Vec<Document>) -> Result<(), RenderError> {
    let Document { value, place } = document;
    match items(value) {
        // Lists within lists are as deep as the text, which has a limit.
        Ok(items) => {
            for value in items {
                flatten_into(Document { value, place: place.clone() }, objects)?;
            }
        }
        Err(value) => {
            if objects.len() >= OBJECT_LIMIT {
                let reason = format!("there are more than {OBJECT_LIMIT} objects; give the service fewer");
                return Err(RenderError::input(place, reason));
            }
            objects.push(Document { value, place });
        }
    }
    Ok(())
}

/// The items of a `List`, or of any other kind that ends with it; else the value as it was.
fn items(mut value: Value) -> Result<Vec<Value>, Value> {
    let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
    match value.get_mut("items").filter(|_| is_list).map(Value::take) {
        Some(Value::Array(items)) => Ok(items),
        Some(Value::Null) => Ok(Vec::new()),
        Some(other) => {
            // No list of objects: as an object it is refused with a word about it.
            value["items"] = other;
            Err(value)
        }
        None => Err(value),
    }
}
