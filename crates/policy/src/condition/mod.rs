//! One condition: from its text to a decision.

mod compile;
mod decision;
mod error;
mod names;
mod structure;
mod text;
mod value;
mod work;

pub use compile::Condition;
pub use decision::Decision;
pub use error::ConditionError;
pub use text::TEXT_LIMIT_BYTES;
