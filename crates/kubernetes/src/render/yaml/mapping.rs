//! Mappings, and the merge key of YAML 1.1 (<https://yaml.org/type/merge.html>).

use std::collections::HashMap;

use serde_json::{Map, Value};

/// The key that stands for all those of other mappings.
const MERGE: &str = "<<";

/// A mapping that is being read.
#[derive(Default)]
pub(super) struct MappingBuilder {
    fields: Map<String, Value>,
    /// The lines of the keys that are written here.
    written: HashMap<String, usize>,
    /// What is merged in, the first one winning.
    merged: Vec<Map<String, Value>>,
}

impl MappingBuilder {
    /// Takes a key with its value.
    pub(super) fn add(&mut self, key: String, plain: bool, line: usize, value: Value) -> Result<(), String> {
        if let Some(first) = self.written.insert(key.clone(), line) {
            return Err(format!(
                "`{}` is written twice, first in line {first}; keep one of the two",
                shown(&key)
            ));
        }
        if plain && key == MERGE {
            self.merged =
                mappings(value).ok_or("`<<` takes a mapping, or a list of mappings; write `<<: *name`")?;
            return Ok(());
        }
        self.fields.insert(key, value);
        Ok(())
    }

    /// The whole mapping; what is written here wins over what is merged in.
    pub(super) fn finish(mut self) -> Map<String, Value> {
        for mapping in self.merged {
            for (key, value) in mapping {
                self.fields.entry(key).or_insert(value);
            }
        }
        self.fields
    }
}

fn mappings(value: Value) -> Option<Vec<Map<String, Value>>> {
    match value {
        Value::Object(fields) => Some(vec![fields]),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::Object(fields) => Some(fields),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

fn shown(key: &str) -> String {
    key.chars().take(80).flat_map(char::escape_debug).collect()
}
