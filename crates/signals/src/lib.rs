//! What production says: edge counters, Prometheus, numbers in JSON documents, and alerts that others send.

mod copies;
mod edge;
pub mod hooks;
mod json;
mod prometheus;
mod source;

pub use copies::CopyCounts;
pub use edge::{Counts, EdgeWindow};
pub use json::{JsonClient, JsonError};
pub use prometheus::{PrometheusClient, PrometheusError};
pub use source::{Source, SourceError};
