//! What production says: edge counters, Prometheus, and numbers in JSON documents.

mod copies;
mod edge;
mod json;
mod prometheus;
mod source;

pub use copies::CopyCounts;
pub use edge::{Counts, EdgeWindow};
pub use json::{JsonClient, JsonError};
pub use prometheus::{PrometheusClient, PrometheusError};
pub use source::{Source, SourceError};
