//! What a plan will be able to see, worked out before anything moves.
//!
//! [`Forecast::of`] reads the watches out of a plan's steps and says of each the smallest regression that it finds, how likely it is to
//! end without a verdict, how many requests a bad release fails before it is taken back, and whether other weights would do better in
//! the same time. It stands on [`crate::evidence::prediction`] and knows the same tests as the judge.

mod outlook;
mod proposal;
mod schedule;
#[cfg(test)]
mod tests;

pub use outlook::{Forecast, RegressionOutlook, WatchOutlook, blind_steps};
pub use proposal::Proposal;
pub use schedule::{CurrentTraffic, ForecastError};
