//! The grammar's building blocks. A shape says once how a value is written; the reader and the JSON Schema are two uses of
//! it, so that they cannot drift apart.

mod collection;
mod object;
mod scalar;

pub(crate) use collection::{Checked, Either, Hidden, ListOf, MapOf, Named, OneOrMore, Placed};
pub(crate) use object::{Field, Fields, Object, field};
pub(crate) use scalar::{Misread, Scalar};

use serde_json::Value;

use super::fault::Faults;
use super::node::{Kind, Node};

/// How one value is written.
pub(crate) trait Shape {
    /// What it is once it has been read.
    type Value;

    /// Reads a value; `None` after a fault has been noted.
    fn read(&self, node: &Node, faults: &mut Faults) -> Option<Self::Value>;

    /// Describes the value to editors, as a JSON Schema.
    fn schema(&self) -> Value;
}

/// Notes that a node is of another kind than the shape wants, unless it has been refused already.
fn wrong_kind(node: &Node, expected: &str, example: Option<&str>, faults: &mut Faults) {
    if matches!(node.kind, Kind::Refused) {
        return;
    }
    let is_empty = matches!(node.kind, Kind::Empty);
    let message = match is_empty {
        true => format!("nothing is written here, and {expected} is expected"),
        false => format!("{expected} is expected here, not {}", node.kind.name()),
    };
    let fault = faults.error(&node.span, message).label(format!("expected {expected}"));
    match example {
        Some(example) => fault.help(format!("write, for example, `{example}`")),
        None if is_empty => fault.help("write a value, or leave the key out; `\"\"` is the empty text"),
        None => fault,
    };
}

/// Notes that a list or mapping is longer than is read.
fn too_many(node: &Node, limit: usize, faults: &mut Faults) {
    faults
        .error(&node.span, format!("more than {limit} entries"))
        .help(format!("at most {limit} are supported here"));
}
