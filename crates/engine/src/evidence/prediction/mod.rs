//! What a rollout will be able to see, worked out beforehand.
//!
//! [`Prediction::of`] follows the e-value of an [`ErrorTest`](super::ErrorTest) through a schedule of watches: each failed
//! request is the candidate's with a known probability, so the probability of every number of its failures is carried on
//! from one failure to the next, and what reaches the bar is taken out ([`chain`]). Nothing is drawn by lot.
//! Where there are too many failures for that, a formula for Brownian motion does ([`closed_form`]); it is
//! good there, and poor where failures are few.

mod chain;
mod closed_form;
mod detectable;
mod limit;
mod outlook;
mod poisson;
mod schedule;
#[cfg(test)]
mod tests;

pub use detectable::{failed_before_rollback, smallest_detectable};
pub use limit::{power_below, smallest_share_above};
pub use outlook::{Moment, Prediction};
pub use schedule::{PredictionError, Traffic, Watch};
