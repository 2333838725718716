//! The JSON Schema of `pilotage.yaml`, from the same tables that the reader uses.

use serde_json::{Value, json};

use crate::read::{Shape, grammar};

/// The JSON Schema (draft 2020-12) of the file, with what editors need to complete and explain: titles, descriptions,
/// defaults and examples.
pub fn json_schema() -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pilotage.yaml",
        "description": "A project that Pilotage deploys: its services, where they run, and how releases replace one another.",
    });
    if let (Value::Object(schema), Value::Object(grammar)) = (&mut schema, grammar().schema()) {
        schema.extend(grammar);
    }
    schema
}
