//! A team's own conditions, as expressions over the plan and what is known.
//!
//! A condition is a text in CEL, the Common Expression Language, over one JSON document, [`Input`]. Only `true` lets a
//! deployment pass. `false` is a refusal, and so is everything else: a field that is not there, another type than expected,
//! an error or a panic of the interpreter, and too much work. Nothing is asked for while a condition is worked out, not
//! even the time, so that a decision can be repeated from what was recorded.

mod bounded;
mod check;
mod condition;
mod deletion;
mod input;
mod table;

pub use check::{check, read};
pub use condition::{Condition, ConditionError, Decision, TEXT_LIMIT_BYTES};
pub use deletion::{fields, without};
pub use input::{Approval, Facts, INPUT_FORMAT, Input, Now, Plan, Requester, Strategy, Ticket};
pub use table::{Case, CaseError, Expectation, Outcome, Table};
