//! The load generator: a [`LoadPlan`] is started on a thread of its own and ends in a [`LoadReport`].
//!
//! The thread is its own so that the measurement does not wait behind the work of the caller's runtime.

mod body;
mod clients;
mod drive;
mod grpc;
mod handle;
mod http1;
mod http2;
mod latency;
mod outcome;
mod pace;
mod plan;
mod report;
mod request;
mod send;
mod tally;
mod websocket;

pub use handle::{Load, LoadError, LoadHandle};
pub use latency::Latency;
pub use plan::{LoadPlan, Pacing, Session, Traffic};
pub use report::{DroppedRequest, LoadReport, Outcomes, VersionLoad};
