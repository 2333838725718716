//! What production says: edge counters and Prometheus.

mod edge;
mod prometheus;

pub use edge::{Counts, EdgeWindow};
pub use prometheus::{PrometheusClient, PrometheusError};
