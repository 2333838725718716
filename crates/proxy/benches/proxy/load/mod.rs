//! Load, and what is heard of it: outside clients where they can do what is needed, else small ones of our own.

mod fetch;
mod h2load;
mod handshakes;
mod idle;
mod wrk;

use std::net::SocketAddr;
use std::time::Duration;

use crate::fault::Fault;

pub use fetch::fetch;
pub use h2load::H2load;
pub use handshakes::Handshakes;
pub use idle::IdleConnections;
pub use wrk::Wrk;

/// What a run of load found. A run in which a single request failed is a fault instead.
#[derive(Debug, Clone, Copy)]
pub struct LoadReport {
    pub requests: u64,
    pub requests_per_second: f64,
    /// From sending a request to the end of its answer.
    pub p99: Duration,
}

/// Something that loads a proxy for a while.
pub trait Load: Sync {
    /// Runs for so long, to the end.
    fn run(&self, address: SocketAddr, duration: Duration) -> Result<LoadReport, Fault>;
}

/// The value below which 99 of a hundred lie.
fn p99(mut micros: Vec<u64>) -> Duration {
    micros.sort_unstable();
    let rank = (micros.len() * 99).div_ceil(100).saturating_sub(1);
    Duration::from_micros(micros.get(rank).copied().unwrap_or_default())
}
