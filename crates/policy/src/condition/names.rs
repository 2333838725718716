//! The names that a condition can use.

use std::sync::LazyLock;

use cel::common::ast::{Expr, SelectExpr};
use serde_json::Value;

use crate::input::EXAMPLE as EXAMPLE_TEXT;

/// Functions that are known to be bounded by the size of what they are given. Operators are functions too.
pub(super) const FUNCTIONS: [&str; 9] =
    ["size", "contains", "startsWith", "endsWith", "matches", "string", "int", "uint", "double"];

/// One input in which every field is there. A test reads it; were it not JSON, no name would be known, and no condition sound.
static EXAMPLE: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(EXAMPLE_TEXT).unwrap_or_default());

/// Whether the input has such a part: `plan`, `facts` or `now`.
pub(super) fn is_root(name: &str) -> bool {
    EXAMPLE.get(name).is_some_and(Value::is_object)
}

/// The parts of the input, as a message lists them.
pub(super) const ROOTS: &str = "`plan`, `facts` and `now`";

/// The field that a selection names in vain, with the fields that are there: such as `servce` in `plan.servce`.
pub(super) fn unknown_field(select: &SelectExpr) -> Option<(&str, String)> {
    let owner = resolved(&select.operand.expr)?.as_object()?;
    let is_unknown = !owner.contains_key(&select.field);
    is_unknown.then(|| {
        let names: Vec<&str> = owner.keys().map(String::as_str).collect();
        (select.field.as_str(), names.join(", "))
    })
}

/// The part of the example that an expression names outright.
fn resolved(expression: &Expr) -> Option<&'static Value> {
    match expression {
        Expr::Ident(name) => EXAMPLE.get(name),
        Expr::Select(select) => resolved(&select.operand.expr)?.get(&select.field),
        _ => None,
    }
}
