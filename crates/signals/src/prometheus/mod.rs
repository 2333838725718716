//! Questions to a Prometheus server, by its HTTP API (<https://prometheus.io/docs/prometheus/latest/querying/api/>).

mod answer;
mod client;
mod error;
mod query;

pub use client::PrometheusClient;
pub use error::PrometheusError;
