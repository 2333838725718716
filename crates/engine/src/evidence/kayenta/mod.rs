//! The judge of Spinnaker's Kayenta (`NetflixACAJudge-v1.0`), for teams that move over.
//!
//! It compares a metric's values at points in time, one a minute say, by the Mann-Whitney test, calls it high or low
//! if the difference is both certain and large, and scores how many metrics pass. It does not know how many requests a
//! point stands for. Prefer [`ErrorTest`](super::ErrorTest) for whatever can be counted, for this judge has blind spots
//! that its users reported; each is kept as a test:
//!
//! - **Seven of ten points a hundred times too high pass** (spinnaker#6278): with so few points the confidence interval
//!   still touches no change at all. An eighth makes it high.
//! - **Rare errors pass** (kayenta#799, #426): errors in 5 of 25 points, or in 3 of 6, beside none at all: the medians
//!   are both zero.
//! - **A metric whose spread changes passes** (kayenta#780): values around 10 and 17 beside values that leap between
//!   1 and 100 rank alike.
//! - **No fewest number of points**: three beside three can be called high or low, which happens to equal versions one
//!   time in twenty. [`JudgeSettings::fewest`] guards against it: with fewer than five on a side the exact
//!   test cannot be as certain as the 98 % that this one claims.
//! - **A mean of zero switches the check of the effect off**, for then no ratio is known.

mod judge;
mod mann_whitney;
mod metric;
mod sample;
#[cfg(test)]
mod tests;

pub use judge::{JudgeSettings, Judged, MetricJudged, Scored, judge};
pub use mann_whitney::MannWhitney;
pub use metric::{Allowed, Class, Compared, Direction, Effect, MetricSettings};
pub use sample::Missing;
