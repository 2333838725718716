//! What a report says of a histogram of latencies.

use pilotage_proxy::Histogram;
use serde::{Deserialize, Serialize};

/// Quantiles of latencies, in microseconds, each rounded up by 3 % at most; 0 when there was none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the answers were at least as fast.
    pub p50_micros: u64,
    /// 95 % of the answers were at least as fast.
    pub p95_micros: u64,
    /// 99 % of the answers were at least as fast.
    pub p99_micros: u64,
    /// The slowest answer.
    pub max_micros: u64,
}

impl Latency {
    pub(super) fn of(histogram: &Histogram) -> Self {
        let quantile = |share| histogram.quantile(share).unwrap_or_default();
        Self {
            p50_micros: quantile(0.50),
            p95_micros: quantile(0.95),
            p99_micros: quantile(0.99),
            max_micros: quantile(1.0),
        }
    }
}
