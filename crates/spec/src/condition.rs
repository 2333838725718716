//! A team's own conditions, as they are written. What their expressions mean is not this crate's matter.

use serde::{Deserialize, Serialize};

/// A condition that a deployment must meet, beside the built-in gates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyCondition {
    /// An expression in CEL that must be true.
    pub when: String,
    /// What a person reads when it is not.
    pub message: String,
}

/// What is wrong with an expression, as whoever knows the language says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub help: String,
}
