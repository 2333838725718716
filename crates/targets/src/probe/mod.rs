//! Probes: whether a service is ready and alive, asked in the same way wherever it runs.

mod ask;
mod probes;

pub use ask::Asked;
pub use probes::{Finding, ProbeFailure, watch};
