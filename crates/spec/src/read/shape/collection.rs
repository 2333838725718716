//! Lists, mappings with free keys, and values that have a short form.

use std::str::FromStr;

use serde_json::{Value, json};

use super::{Scalar, Shape, too_many, wrong_kind};
use crate::read::fault::Faults;
use crate::read::node::{Kind, Node, Spanned};

/// The longest list.
const LIST_LIMIT: usize = 1000;

/// The largest mapping with free keys.
const MAP_LIMIT: usize = 250;

/// A value that keeps its place, for checks that need other parts of the file.
pub(crate) struct Placed<S>(pub S);

impl<S: Shape> Shape for Placed<S> {
    type Value = Spanned<S::Value>;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<Self::Value> {
        let value = self.0.read(node, faults)?;
        Some(Spanned { value, span: node.span.clone() })
    }

    fn schema(&self) -> Value {
        self.0.schema()
    }
}

/// A value that may be a secret, or in whose place somebody may have written one: faults do not repeat its lines.
pub(crate) struct Hidden<S>(pub S);

impl<S: Shape> Shape for Hidden<S> {
    type Value = S::Value;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<S::Value> {
        faults.hidden(|faults| self.0.read(node, faults))
    }

    fn schema(&self) -> Value {
        self.0.schema()
    }
}

/// A value with a rule that its shape alone cannot express.
pub(crate) struct Checked<S: Shape, T> {
    pub shape: S,
    /// Gives what is used; `None` only after a fault has been noted.
    pub check: fn(S::Value, &mut Faults) -> Option<T>,
}

impl<S: Shape, T> Shape for Checked<S, T> {
    type Value = T;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<T> {
        let value = self.shape.read(node, faults)?;
        (self.check)(value, faults)
    }

    fn schema(&self) -> Value {
        self.shape.schema()
    }
}

/// A list of values of one shape.
pub(crate) struct ListOf<S> {
    pub item: S,
    /// Fewer items than this are refused.
    pub at_least: usize,
    pub expected: &'static str,
    pub example: &'static str,
}

impl<S: Shape> Shape for ListOf<S> {
    type Value = Vec<S::Value>;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<Self::Value> {
        let Kind::List(nodes) = &node.kind else {
            wrong_kind(node, self.expected, Some(&self.mend(node)), faults);
            return None;
        };
        if nodes.len() < self.at_least {
            faults
                .error(&node.span, "this list must not be empty")
                .label(format!("expected {}", self.expected))
                .help(format!("write, for example, `{}`", self.example));
            return None;
        }
        if nodes.len() > LIST_LIMIT {
            too_many(node, LIST_LIMIT, faults);
            return None;
        }
        // All items are read before any is given up, so that each fault is noted.
        let items: Vec<Option<S::Value>> = nodes.iter().map(|item| self.item.read(item, faults)).collect();
        items.into_iter().collect()
    }

    fn schema(&self) -> Value {
        json!({
            "type": "array",
            "items": self.item.schema(),
            "minItems": self.at_least,
            "maxItems": LIST_LIMIT,
        })
    }
}

/// A value, or a list of such values with at least one in it.
pub(crate) struct OneOrMore<S> {
    pub item: S,
    pub expected: &'static str,
    pub example: &'static str,
}

impl<S: Shape> Shape for OneOrMore<S> {
    type Value = Vec<S::Value>;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<Self::Value> {
        match &node.kind {
            Kind::List(nodes) if !nodes.is_empty() && nodes.len() <= LIST_LIMIT => {
                // All items are read before any is given up, so that each fault is noted.
                let items: Vec<Option<S::Value>> =
                    nodes.iter().map(|item| self.item.read(item, faults)).collect();
                items.into_iter().collect()
            }
            Kind::List(nodes) if nodes.is_empty() => {
                faults
                    .error(&node.span, "this list must not be empty")
                    .label(format!("expected {}", self.expected))
                    .help(format!("write, for example, `{}`, or leave the key out", self.example));
                None
            }
            Kind::List(_) => {
                too_many(node, LIST_LIMIT, faults);
                None
            }
            _ => self.item.read(node, faults).map(|item| vec![item]),
        }
    }

    fn schema(&self) -> Value {
        let item = self.item.schema();
        let list = json!({ "type": "array", "items": item, "minItems": 1, "maxItems": LIST_LIMIT });
        json!({ "anyOf": [item, list] })
    }
}

impl<S> ListOf<S> {
    /// The list that was probably meant: a single text split at spaces, unless quoting makes that a guess.
    fn mend(&self, node: &Node) -> String {
        match &node.kind {
            Kind::Scalar(scalar)
                if !scalar.text.contains(['"', '\'', '\\', '\n']) && scalar.text.len() < 80 =>
            {
                let words: Vec<String> = scalar.text.split_whitespace().map(as_item).collect();
                format!("[{}]", words.join(", "))
            }
            _ => self.example.to_owned(),
        }
    }
}

/// A word as an item of a list, in quotes if it needs them.
fn as_item(word: &str) -> String {
    let is_simple = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if is_simple && !word.starts_with('-') { word.to_owned() } else { format!("\"{word}\"") }
}

/// A mapping whose keys are names that the writer chooses.
pub(crate) struct MapOf<K, S> {
    pub key: Scalar<K>,
    pub value: S,
    /// Fewer entries than this are refused.
    pub at_least: usize,
    pub expected: &'static str,
}

/// The entries of a [`MapOf`]. A value that could not be read is `None`, so that its name is still known.
pub(crate) type Named<K, V> = Vec<(Spanned<K>, Option<V>)>;

impl<K: FromStr + 'static, S: Shape> Shape for MapOf<K, S> {
    type Value = Named<K, S::Value>;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<Self::Value> {
        let entries = match &node.kind {
            Kind::Map(entries) => entries,
            Kind::Empty if self.at_least == 0 => return Some(Vec::new()),
            _ => {
                wrong_kind(node, self.expected, None, faults);
                return None;
            }
        };
        if entries.len() < self.at_least {
            faults.error(&node.span, "this must not be empty").label(format!("expected {}", self.expected));
            return None;
        }
        if entries.len() > MAP_LIMIT {
            too_many(node, MAP_LIMIT, faults);
            return None;
        }
        let mut named = Vec::new();
        for entry in entries {
            let value = self.value.read(&entry.value, faults);
            match self.key.parse_plain(&entry.key) {
                Ok(key) => named.push((Spanned { value: key, span: entry.key_span.clone() }, value)),
                Err(misread) => faults.error(&entry.key_span, misread.fault).help = misread.mend,
            }
        }
        Some(named)
    }

    fn schema(&self) -> Value {
        json!({
            "type": if self.at_least == 0 { json!(["object", "null"]) } else { json!("object") },
            "propertyNames": self.key.schema(),
            "additionalProperties": self.value.schema(),
            "minProperties": self.at_least,
            "maxProperties": MAP_LIMIT,
        })
    }
}

/// A single value where that is enough, or else the long form.
pub(crate) struct Either<A, B> {
    pub short: A,
    pub long: B,
}

impl<A: Shape, B: Shape<Value = A::Value>> Shape for Either<A, B> {
    type Value = A::Value;

    fn read(&self, node: &Node, faults: &mut Faults) -> Option<Self::Value> {
        match node.kind {
            Kind::Map(_) => self.long.read(node, faults),
            _ => self.short.read(node, faults),
        }
    }

    fn schema(&self) -> Value {
        let mut long = self.long.schema();
        long["type"] = json!("object");
        json!({ "anyOf": [self.short.schema(), long] })
    }
}
