//! Counters and latency histograms per version.

use serde::{Deserialize, Serialize};

/// What was counted for one version of one route.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VersionStats {
    /// Requests answered by the version, whatever the status.
    pub requests: u64,
    /// Of these, answers with status 500 and above.
    pub errors: u64,
    /// Requests that failed on the way: the connection broke and the request could not be sent again elsewhere.
    pub broken: u64,
    /// Requests sent again to another endpoint.
    pub retries: u64,
    /// Requests in flight now.
    pub in_flight: u64,
    /// When the last request was sent to it, in microseconds since the epoch; 0 if never.
    pub last_request_micros: i64,
    /// Latency from request head to response head, in microseconds.
    pub latency: Histogram,
}

/// A log-linear histogram: 32 sub-buckets to each power of two, so that a value is known to about 3 %.
///
/// Stored sparsely as `(bucket, count)` in rising order of bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Histogram {
    /// `(bucket, count)`, rising by bucket, no zero counts.
    pub buckets: Vec<(u32, u64)>,
}
