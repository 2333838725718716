//! The contract of [`Target`](crate::Target), as checks that run against any target: a suite for tests.
//!
//! Whoever writes a target implements [`Subject`] for it and calls [`check`].

mod rules;
mod subject;
mod wait;

pub use rules::{RULES, check};
pub use subject::{Behaviour, Subject};
pub use wait::Violation;
