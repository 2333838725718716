//! The grammar's building blocks. A shape says once how a value is written; the reader and the JSON Schema are two uses of
//! it, so that they cannot drift apart.

mod collection;
mod object;
mod scalar;

pub(crate) use collection::{Checked, Either, ListOf, MapOf, Named, Placed};
pub(crate) use object::{Fields, Object, field};
pub(crate) use scalar::{Misread, Scalar};

use serde_json::Value;

use super::fault::Faults;
use super::node::Node;

/// How one value is written.
pub(crate) trait Shape {
    /// What it is once it has been read.
    type Value;

    /// Reads a value; `None` after a fault has been noted.
    fn read(&self, node: &Node, faults: &mut Faults) -> Option<Self::Value>;

    /// Describes the value to editors, as a JSON Schema.
    fn schema(&self) -> Value;
}

/// Notes that a node is of another kind than the shape wants.
fn wrong_kind(node: &Node, expected: &str, faults: &mut Faults, example: Option<&str>) {
    let fault = faults.error(&node.span, format!("{expected} is expected here, not {}", node.kind.name()));
    fault.label(format!("expected {expected}"));
    if let Some(example) = example {
        fault.help(format!("write, for example, `{example}`"));
    }
}
