//! Mappings with fixed keys. The table of fields is a function that asks for each of them; run over a file it reads, run over
//! nothing it describes.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::{Shape, wrong_kind};
use crate::quote::{alternatives, quoted};
use crate::read::fault::Faults;
use crate::read::node::{Entry, Kind, Node};
use crate::read::parse::parse;
use crate::suggest::nearest;

/// A mapping with fixed keys.
pub(crate) struct Object<T> {
    /// What it is called in messages.
    pub expected: &'static str,
    /// Asks for every field, before it gives up on any.
    pub fields: fn(&mut Fields<'_>) -> Option<T>,
}

impl<T> Shape for Object<T> {
    type Value = T;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<T> {
        let entries: &[Entry] = match &node.kind {
            Kind::Map(entries) => entries,
            Kind::Empty => &[],
            _ => {
                wrong_kind(node, "a mapping", Some("{ key: value }"), faults);
                return None;
            }
        };
        let mut fields = Fields::new(Mode::Reading(Reading {
            entries,
            origin: node.origin.clone(),
            expected: self.expected,
            missing: Vec::new(),
            faults,
        }));
        let value = (self.fields)(&mut fields);
        let Fields { mode, known } = fields;
        if let Mode::Reading(reading) = mode {
            reading.report_keys(&known);
        }
        value
    }

    fn schema(&self) -> Value {
        let mut fields = Fields::new(Mode::Describing(Describing::default()));
        (self.fields)(&mut fields);
        match fields.mode {
            Mode::Describing(described) => described.schema(),
            Mode::Reading(_) => json!({}),
        }
    }
}

/// A line of the table.
#[derive(Clone, Copy)]
pub(crate) struct Field {
    name: &'static str,
    about: &'static str,
    example: Option<&'static str>,
}

/// A field by its key, with what editors say about it.
pub(crate) const fn field(name: &'static str, about: &'static str) -> Field {
    Field { name, about, example: None }
}

impl Field {
    /// How it can be written, in YAML.
    pub const fn example(mut self, example: &'static str) -> Self {
        self.example = Some(example);
        self
    }
}

/// The one who is asked for fields.
pub(crate) struct Fields<'a> {
    mode: Mode<'a>,
    known: Vec<&'static str>,
}

enum Mode<'a> {
    Reading(Reading<'a>),
    Describing(Describing),
}

struct Reading<'a> {
    entries: &'a [Entry],
    origin: Range<usize>,
    expected: &'static str,
    /// Fields that must be there and are not.
    missing: Vec<Field>,
    faults: &'a mut Faults,
}

#[derive(Default)]
struct Describing {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    exactly_one: &'static [&'static str],
    at_least_one: &'static [&'static str],
}

impl<'a> Fields<'a> {
    fn new(mode: Mode<'a>) -> Self {
        Self { mode, known: Vec::new() }
    }

    /// A field that must be there.
    pub fn required<S: Shape>(&mut self, field: Field, shape: &S) -> Option<S::Value> {
        let found = self.ask(field, shape, None);
        match &mut self.mode {
            Mode::Reading(reading) if !reading.has(field.name) => reading.missing.push(field),
            Mode::Reading(_) => {}
            Mode::Describing(describing) => describing.required.push(field.name),
        }
        found
    }

    /// A field that must be there unless another one is.
    pub fn required_unless<S: Shape>(&mut self, other: &str, field: Field, shape: &S) -> Option<S::Value> {
        let found = self.ask(field, shape, None);
        if let Mode::Reading(reading) = &mut self.mode
            && !reading.has(field.name)
            && !reading.has(other)
        {
            reading.missing.push(field);
        }
        found
    }

    /// A field that may be left out.
    pub fn optional<S: Shape>(&mut self, field: Field, shape: &S) -> Option<S::Value> {
        self.ask(field, shape, None)
    }

    /// A field that may be left out and then is read from `default`, which is YAML. `None` only if what is written is wrong.
    pub fn or<S: Shape>(&mut self, field: Field, shape: &S, default: &'static str) -> Option<S::Value> {
        let found = self.ask(field, shape, Some(default));
        match &self.mode {
            Mode::Reading(reading) if !reading.has(field.name) => read_default(shape, default),
            _ => found,
        }
    }

    /// Where to note a fault that lies in how fields go together; `None` while only describing.
    pub fn faults(&mut self) -> Option<&mut Faults> {
        match &mut self.mode {
            Mode::Reading(reading) => Some(reading.faults),
            Mode::Describing(_) => None,
        }
    }

    /// Of these fields, one must be there and only one.
    pub fn exactly_one(&mut self, names: &'static [&'static str]) {
        match &mut self.mode {
            Mode::Reading(reading) => reading.check_exactly_one(names),
            Mode::Describing(describing) => describing.exactly_one = names,
        }
    }

    /// Of these fields, one must be there, and several may.
    pub fn at_least_one(&mut self, names: &'static [&'static str]) {
        match &mut self.mode {
            Mode::Reading(reading) => reading.check_at_least_one(names),
            Mode::Describing(describing) => describing.at_least_one = names,
        }
    }

    /// A field that must be there because another one is.
    pub fn needed_beside(&mut self, name: &str, other: &str) {
        if let Mode::Reading(reading) = &mut self.mode
            && !reading.has(name)
            && let Some(entry) = reading.entries.iter().find(|entry| entry.key == other)
        {
            let fault = reading.faults.error(&entry.key_span, format!("`{other}` needs `{name}` beside it"));
            fault.help(format!("add `{name}`"));
        }
    }

    /// A field that means nothing beside another one.
    pub fn unwanted_beside(&mut self, name: &str, other: &str) {
        if let Mode::Reading(reading) = &mut self.mode
            && let Some(entry) = reading.entries.iter().find(|entry| entry.key == name)
            && reading.has(other)
        {
            let fault =
                reading.faults.error(&entry.key_span, format!("`{name}` means nothing beside `{other}`"));
            fault.help("leave one of the two out");
        }
    }

    fn ask<S: Shape>(&mut self, field: Field, shape: &S, default: Option<&str>) -> Option<S::Value> {
        self.known.push(field.name);
        match &mut self.mode {
            Mode::Reading(reading) => {
                let entry = reading.entries.iter().find(|entry| entry.key == field.name)?;
                shape.read(&entry.value, reading.faults)
            }
            Mode::Describing(describing) => {
                describing.add(field, shape.schema(), default);
                None
            }
        }
    }
}

impl Reading<'_> {
    fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.key == name)
    }

    /// Notes the keys that are not known, and those that are missing unless an unknown one was meant to be it.
    fn report_keys(mut self, known: &[&'static str]) {
        for entry in self.entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            if self.faults.is_full() {
                self.faults.error(&entry.key_span, "unknown key");
                continue;
            }
            self.report_unknown(entry, known);
        }
        for field in std::mem::take(&mut self.missing) {
            self.report_missing(field);
        }
    }

    fn report_unknown(&mut self, entry: &Entry, known: &[&'static str]) {
        let meant = nearest(&entry.key, known.iter().copied());
        let help = match meant {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("the keys of {} are {}", self.expected, known.join(", ")),
        };
        self.missing.retain(|field| Some(field.name) != meant);
        self.faults
            .error(&entry.key_span, format!("unknown key {}", quoted(&entry.key)))
            .label(format!("not a key of {}", self.expected))
            .help(help);
    }

    fn report_missing(&mut self, field: Field) {
        let example = field.example.unwrap_or("…");
        self.faults
            .error(&self.origin, format!("`{}` is missing", field.name))
            .label(format!("{} needs it", self.expected))
            .help(format!("add `{}: {example}`: {}", field.name, first_sentence(field.about)));
    }

    fn check_exactly_one(&mut self, names: &[&'static str]) {
        let mut present = self.entries.iter().filter(|entry| names.contains(&entry.key.as_str()));
        match (present.next(), present.next()) {
            (None, _) => self.report_none_of(names),
            (Some(first), Some(second)) => {
                let choice = alternatives(names.iter().copied());
                let fault = self.faults.error(
                    &second.key_span,
                    format!("{} is either {choice}, not two of them", self.expected),
                );
                fault.related(&first.key_span, "the first one").help("keep one of the two");
            }
            (Some(_), None) => {}
        }
    }

    fn check_at_least_one(&mut self, names: &[&'static str]) {
        if !names.iter().any(|name| self.has(name)) {
            self.report_none_of(names);
        }
    }

    fn report_none_of(&mut self, names: &[&'static str]) {
        let choice = alternatives(names.iter().copied());
        let fault = self.faults.error(&self.origin, format!("{} needs {choice}", self.expected));
        fault.help("add one of them");
    }
}

impl Describing {
    fn add(&mut self, field: Field, mut schema: Value, default: Option<&str>) {
        schema["description"] = json!(field.about);
        if let Some(text) = default {
            schema["default"] = as_json(text);
        }
        if let Some(text) = field.example {
            schema["examples"] = json!([as_json(text)]);
        }
        self.properties.insert(field.name.to_owned(), schema);
    }

    fn schema(self) -> Value {
        let kinds = if self.required.is_empty() { json!(["object", "null"]) } else { json!("object") };
        let mut schema =
            json!({ "type": kinds, "properties": self.properties, "additionalProperties": false });
        if !self.required.is_empty() {
            schema["required"] = json!(self.required);
        }
        for (key, names) in [("oneOf", self.exactly_one), ("anyOf", self.at_least_one)] {
            if !names.is_empty() {
                schema[key] = names.iter().map(|name| json!({ "required": [name] })).collect();
                schema["type"] = json!("object");
            }
        }
        schema
    }
}

fn read_default<S: Shape>(shape: &S, default: &str) -> Option<S::Value> {
    let mut faults = Faults::default();
    let node = parse(default, &mut faults)?;
    shape.read(&node, &mut faults)
}

/// A default or example, which is YAML, as JSON: what reads as JSON is meant so, all else is a text.
fn as_json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}

/// The first sentence, to go on after a colon.
fn first_sentence(text: &str) -> String {
    let sentence = text.split(". ").next().unwrap_or(text).trim_end_matches('.');
    let mut characters = sentence.chars();
    let first = characters.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
    first + characters.as_str()
}
