//! A team's own conditions.

use serde_json::json;

use crate::ConditionName;
use crate::read::node::Spanned;
use crate::read::shape::{Fields, MapOf, Misread, Named, Object, Placed, Scalar, field};
use crate::read::values::{TEXT, label};

/// The longest expression and the longest message, in bytes.
const EXPRESSION_LIMIT: usize = 4096;
const MESSAGE_LIMIT: usize = 500;

/// A condition as it is written.
pub(crate) struct ConditionDraft {
    pub when: Spanned<String>,
    pub message: String,
}

/// The shape of `conditions`.
pub(super) fn conditions() -> MapOf<ConditionName, Object<ConditionDraft>> {
    MapOf {
        key: label("the name of a condition"),
        value: Object { expected: "a condition", fields },
        expected: "a mapping of conditions by name",
        at_least: 0,
    }
}

/// Conditions by name, as they are written.
pub(crate) type Conditions = Named<ConditionName, ConditionDraft>;

fn fields(fields: &mut Fields<'_>) -> Option<ConditionDraft> {
    let when = fields.required(
        field("when", "What must be true, as an expression in CEL over `plan`, `facts` and `now`.")
            .example("plan.replicas >= 2"),
        &Placed(limited("an expression in CEL", EXPRESSION_LIMIT)),
    );
    let message = fields.required(
        field("message", "What a person reads when it is not true: what to do about it.")
            .example("run at least two instances"),
        &limited("a message", MESSAGE_LIMIT),
    );
    Some(ConditionDraft { when: when?, message: message? })
}

fn limited(expected: &'static str, limit: usize) -> Scalar<String> {
    let schema = json!({ "type": TEXT, "minLength": 1, "maxLength": limit });
    Scalar::new(expected, schema, move |written| {
        let text = written.text.trim();
        if text.is_empty() {
            return Err(Misread::new("nothing is written here", format!("write {expected}")));
        }
        if text.len() > limit {
            return Err(Misread::new(
                format!("this is {} bytes long", text.len()),
                format!("write at most {limit} bytes"),
            ));
        }
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\t')) {
            return Err(Misread::new("a control character is in this text", "leave it out"));
        }
        Ok(text.to_owned())
    })
}
