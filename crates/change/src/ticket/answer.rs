//! Reading what is said in an answer.

use pilotage_spec::{TicketKey, Timestamp};
use serde_json::Value;

use super::error::TicketError;
use super::time;

/// A part of an answer, and what it is called.
pub(super) struct Answer<'a> {
    pub key: &'a TicketKey,
    pub value: &'a Value,
}

/// More values of one field than this are not read.
const VALUE_LIMIT: usize = 100;

/// Longer texts are not kept, in characters.
const TEXT_LIMIT: usize = 256;

impl<'a> Answer<'a> {
    /// What is found at a JSON pointer, unless that is nothing.
    fn at(&self, pointer: &str) -> Option<&'a Value> {
        self.value.pointer(pointer).filter(|value| !is_nothing(value))
    }

    /// A text that must be there.
    pub fn text(&self, pointer: &str, what: &'static str) -> Result<String, TicketError> {
        let value = self.at(pointer).ok_or_else(|| self.missing(pointer, what))?;
        text(value).ok_or_else(|| self.malformed(pointer, "a text"))
    }

    /// A text that may be there.
    pub fn optional_text(&self, pointer: &str) -> Option<String> {
        self.at(pointer).and_then(text)
    }

    /// One or several names that must be there: a text with commas, a list, or what systems make of a choice.
    pub fn names(&self, pointer: &str, what: &'static str) -> Result<Vec<String>, TicketError> {
        let value = self.at(pointer).ok_or_else(|| self.missing(pointer, what))?;
        let names = names(value).ok_or_else(|| self.malformed(pointer, "a text or a list of texts"))?;
        if names.is_empty() { Err(self.missing(pointer, what)) } else { Ok(names) }
    }

    /// A moment that must be there.
    pub fn moment(&self, pointer: &str, what: &'static str) -> Result<Timestamp, TicketError> {
        let text = self.text(pointer, what)?;
        time::moment(&text).ok_or_else(|| {
            self.malformed(pointer, "a time with its offset, such as `2026-11-23T09:00:00+01:00`")
        })
    }

    /// The fault that something is not there.
    pub fn missing(&self, place: &str, what: &'static str) -> TicketError {
        TicketError::Missing { key: self.key.clone(), what, place: place.to_owned() }
    }

    /// The fault that something is not what it should be.
    pub fn malformed(&self, place: &str, expected: &'static str) -> TicketError {
        TicketError::Malformed { key: self.key.clone(), place: place.to_owned(), expected }
    }
}

/// Nothing, or no more than white space.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// A text or number, on one line and not too long.
pub(super) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let fits = text.chars().count() <= TEXT_LIMIT && !text.chars().any(char::is_control);
    (fits && !text.is_empty()).then_some(text)
}

fn names(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Array(list) if list.len() <= VALUE_LIMIT => list.iter().map(name).collect(),
        Value::String(_) => {
            let text = text(value)?;
            Some(text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
        }
        _ => Some(vec![name(value)?]),
    }
}

/// A name as such, or as the value of a choice.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::Object(choice) => ["value", "name"].iter().find_map(|key| choice.get(*key)).and_then(text),
        _ => text(value),
    }
}
