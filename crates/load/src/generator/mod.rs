//! The load generator: a [`LoadPlan`] is started on a thread of its own and ends in a [`LoadReport`].
//!
//! The thread is its own so that the measurement does not wait behind the work of the caller's runtime.

mod body;
mod connection;
mod drive;
mod exchange;
mod handle;
mod latency;
mod pace;
mod plan;
mod report;
mod tally;

pub use handle::{Load, LoadError, LoadHandle};
pub use latency::Latency;
pub use plan::{LoadPlan, Pacing};
pub use report::{DroppedRequest, LoadReport, Outcomes, VersionLoad};
