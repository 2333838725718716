//! A look back: past counts, fed through the very tests that judge a deployment.
//!
//! [`Replay`] takes rows in their order and makes intervals of them, feeds these to [`Evidence`](crate::judge::Evidence) and asks
//! [`judge()`](crate::judge::judge()) after each. What comes out is an [`Account`]: whether and when the candidate would have been taken
//! back, and what other rules would have said.

mod account;
mod interval;
mod latencies;
mod presence;
mod replay;
mod row;
mod rules;
#[cfg(test)]
mod tests;

pub use account::{Account, Rule, RuleSeen, RuleVerdict, TakenBack, Totals};
pub use replay::{Question, Replay, replay};
pub use row::{Figures, Quantiles, Row, Who};
