//! From JSON to the interpreter's values, within limits.

use std::collections::HashMap;
use std::sync::Arc;

use cel::Value as CelValue;
use cel::objects::{Key, Map};
use serde_json::Value;

/// The longest list and the largest object of an input.
const LENGTH_LIMIT: usize = 1_000;

/// The longest text of an input, in bytes.
const TEXT_LIMIT_BYTES: usize = 64 << 10;

/// The greatest depth of an input.
const DEPTH_LIMIT: usize = 16;

/// So many values there can be in an input.
const VALUES_LIMIT: usize = 20_000;

/// Refuses an input that is larger than any that a deployment has.
pub(super) fn check(input: &Value) -> Result<(), String> {
    let mut left = VALUES_LIMIT;
    check_value(input, 0, &mut left)
}

fn check_value(value: &Value, depth: usize, left: &mut usize) -> Result<(), String> {
    if depth > DEPTH_LIMIT {
        return Err(format!("the input is nested deeper than {DEPTH_LIMIT}"));
    }
    *left = left.checked_sub(1).ok_or_else(|| format!("the input has more than {VALUES_LIMIT} values"))?;
    match value {
        Value::String(text) if text.len() > TEXT_LIMIT_BYTES => {
            Err(format!("a text of the input is longer than {TEXT_LIMIT_BYTES} bytes"))
        }
        Value::Array(items) if items.len() > LENGTH_LIMIT => {
            Err(format!("a list of the input is longer than {LENGTH_LIMIT}"))
        }
        Value::Object(fields) if fields.len() > LENGTH_LIMIT => {
            Err(format!("an object of the input has more than {LENGTH_LIMIT} fields"))
        }
        Value::Array(items) => items.iter().try_for_each(|item| check_value(item, depth + 1, left)),
        Value::Object(fields) => fields.values().try_for_each(|field| check_value(field, depth + 1, left)),
        _ => Ok(()),
    }
}

/// The interpreter's value. A whole number is its signed integer wherever it fits, so that literals can be added to it.
pub(super) fn convert(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(truth) => CelValue::Bool(*truth),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), ..) => CelValue::Int(whole),
            (_, Some(whole), _) => CelValue::UInt(whole),
            (.., Some(real)) => CelValue::Float(real),
            // Only numbers of any precision are none of these, and they are not read here.
            _ => CelValue::Null,
        },
        Value::String(text) => CelValue::String(Arc::new(text.clone())),
        Value::Array(items) => CelValue::List(Arc::new(items.iter().map(convert).collect())),
        Value::Object(fields) => {
            let field =
                |(name, value): (&String, &Value)| (Key::String(Arc::new(name.clone())), convert(value));
            let map: HashMap<Key, CelValue> = fields.iter().map(field).collect();
            CelValue::Map(Map { map: Arc::new(map) })
        }
    }
}
