//! What the edge tells about itself: Prometheus text at its admin address, and the access log. None of it can hold up a
//! request.

mod access_log;
mod exposition;
mod http;
mod metrics;

pub use access_log::AccessLogTarget;
pub(crate) use access_log::{AccessEntry, AccessLog, AccessLogWriter, RequestOutcome, RequestText};
pub(crate) use exposition::CONTENT_TYPE;
pub(crate) use http::{Page, serve};
pub(crate) use metrics::metrics;
