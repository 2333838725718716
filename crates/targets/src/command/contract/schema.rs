//! The contract as a JSON Schema, for programs in other languages.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use super::{Answer, Request};

/// A JSON Schema (draft 2020-12) with the definitions `Request` and `Answer`, and all that they are made of.
pub fn schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let request = Request::json_schema(&mut generator);
    let answer = Answer::json_schema(&mut generator);
    let mut definitions = generator.take_definitions(true);
    definitions.insert("Request".to_owned(), request.into());
    definitions.insert("Answer".to_owned(), answer.into());
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The contract of Pilotage's command target, version 1",
        "description": "A program reads one `Request` on its standard input and writes one `Answer` to its standard output.",
        "oneOf": [{ "$ref": "#/$defs/Request" }, { "$ref": "#/$defs/Answer" }],
        "$defs": definitions,
    })
}
