//! Single values: texts, numbers, words, and texts with a grammar of their own.

use serde_json::{Value, json};

use super::{Shape, wrong_kind};
use crate::quote::{alternatives, quoted};
use crate::read::fault::Faults;
use crate::read::node::{Kind, Node};
use crate::read::values::TEXT;
use crate::suggest::nearest;

pub(crate) use crate::read::node::Scalar as Written;

/// Why a text is not the wanted value, and what to write instead.
#[derive(Debug)]
pub(crate) struct Misread {
    pub fault: String,
    pub mend: Option<String>,
}

impl Misread {
    /// A fault with its mend.
    pub fn new(fault: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { fault: fault.into(), mend: Some(mend.into()) }
    }

    /// A fault whose words already say what to do.
    pub fn plain(fault: impl ToString) -> Self {
        Self { fault: fault.to_string(), mend: None }
    }
}

type Parse<T> = Box<dyn Fn(&Written) -> Result<T, Misread>>;

/// A value that is one text.
pub(crate) struct Scalar<T> {
    expected: &'static str,
    schema: Value,
    parse: Parse<T>,
}

impl<T: 'static> Scalar<T> {
    /// A value of its own grammar.
    pub fn new(
        expected: &'static str,
        schema: Value,
        parse: impl Fn(&Written) -> Result<T, Misread> + 'static,
    ) -> Self {
        Self { expected, schema, parse: Box::new(parse) }
    }

    /// The value of a text as it is written.
    pub fn parse(&self, written: &Written) -> Result<T, Misread> {
        (self.parse)(written)
    }

    /// The value of a text that is written without quotes.
    pub fn parse_plain(&self, text: &str) -> Result<T, Misread> {
        self.parse(&Written { text: text.to_owned(), plain: true })
    }

    /// The same text, used as something else.
    pub fn map<U: 'static>(self, used_as: fn(T) -> U) -> Scalar<U> {
        let Self { expected, schema, parse } = self;
        Scalar { expected, schema, parse: Box::new(move |written| parse(written).map(used_as)) }
    }

    /// This value, or `off` (also `false`) for none.
    pub fn or_off(self) -> Scalar<Option<T>> {
        let Self { expected, schema, parse } = self;
        Scalar {
            expected,
            schema: json!({ "anyOf": [schema, { "enum": ["off", false] }] }),
            parse: Box::new(move |written| match written.text.as_str() {
                "off" | "false" => Ok(None),
                _ => parse(written).map(Some),
            }),
        }
    }
}

impl Scalar<String> {
    /// Any text, numbers and the like as they are written. A zero byte cannot be handed to a program.
    pub fn text(expected: &'static str) -> Self {
        Self::new(expected, json!({ "type": TEXT }), |written| {
            if written.text.contains('\0') {
                return Err(Misread::new("a text must not hold a zero byte", "leave the `\\0` out"));
            }
            Ok(written.text.clone())
        })
    }
}

impl Scalar<u64> {
    /// A whole number within limits, both included.
    pub fn whole(expected: &'static str, least: u64, most: u64) -> Self {
        let schema = json!({ "type": "integer", "minimum": least, "maximum": most });
        Self::new(expected, schema, move |written| {
            let text = written.text.as_str();
            let range = format!("write a whole number from {least} to {most}");
            if !written.plain {
                return Err(Misread::new(
                    format!("{} is a text, not a number", quoted(text)),
                    "leave the quotes out",
                ));
            }
            let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if !digits || (text.len() > 1 && text.starts_with('0')) {
                return Err(Misread::new(format!("{} is not {expected}", quoted(text)), range));
            }
            match text.parse::<u64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(number),
                _ => Err(Misread::new(format!("{} is out of range", quoted(text)), range)),
            }
        })
    }
}

impl Scalar<bool> {
    /// `true` or `false`.
    pub fn truth() -> Self {
        Self::new("`true` or `false`", json!({ "type": "boolean" }), |written| {
            let text = written.text.as_str();
            match text {
                "true" | "false" if written.plain => Ok(text == "true"),
                "true" | "false" => Err(Misread::new(
                    format!("{} is a text, not a truth value", quoted(text)),
                    "leave the quotes out",
                )),
                _ => {
                    let mend = match text.to_ascii_lowercase().as_str() {
                        "yes" | "on" | "true" => "write `true`",
                        "no" | "off" | "false" => "write `false`",
                        _ => "write `true` or `false`",
                    };
                    Err(Misread::new(format!("{} is neither `true` nor `false`", quoted(text)), mend))
                }
            }
        })
    }
}

impl<T: Clone + 'static> Scalar<T> {
    /// One of a few words.
    pub fn word(expected: &'static str, words: &'static [(&'static str, T)]) -> Self {
        let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
        Self::new(expected, json!({ "enum": names }), move |written| {
            let text = written.text.as_str();
            if let Some((_, value)) = words.iter().find(|(name, _)| *name == text) {
                return Ok(value.clone());
            }
            let names = || words.iter().map(|(name, _)| *name);
            let mend = match nearest(text, names()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("write {}", alternatives(names())),
            };
            Err(Misread::new(format!("{} is not {expected}", quoted(text)), mend))
        })
    }
}

impl<T: 'static> Shape for Scalar<T> {
    type Value = T;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<T> {
        let Kind::Scalar(written) = &node.kind else {
            wrong_kind(node, self.expected, None, faults);
            return None;
        };
        let misread = match (self.parse)(written) {
            Ok(value) => return Some(value),
            Err(misread) => misread,
        };
        faults.error(&node.span, misread.fault).label(format!("expected {}", self.expected)).help =
            misread.mend;
        None
    }

    fn schema(&self) -> Value {
        self.schema.clone()
    }
}
