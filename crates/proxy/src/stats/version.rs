//! What is counted of one version of one route.

use serde::{Deserialize, Serialize};

use super::{Histogram, MirrorStats};

/// What was counted for one version of one route.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VersionStats {
    /// Requests answered by the version, whatever the status.
    pub requests: u64,
    /// Of these, answers with status 500 and above.
    pub errors: u64,
    /// Requests that failed on the way after they had been sent: the connection broke, or no answer came in time, and
    /// the request could not be sent again; or the answer broke off in the middle (then it is in `requests` too).
    pub broken: u64,
    /// Failed requests, whether in `errors` or in `broken`, without those that follow a failure of the same client here
    /// within ten seconds. A client is known by what the request has of the route's client keys; a request that has
    /// nothing of them counts by itself.
    #[serde(default)]
    pub failed_clients: u64,
    /// Requests sent again to another endpoint, or for want of one to another version with a share of the clients.
    pub retries: u64,
    /// Requests in flight now, from the choice of an endpoint to the end of the answer.
    pub in_flight: u64,
    /// When the last request was sent to it, in microseconds since the epoch; 0 if never.
    pub last_request_micros: i64,
    /// Bytes of request bodies passed on to it.
    #[serde(default)]
    pub bytes_in: u64,
    /// Bytes of answers' bodies passed on from it.
    #[serde(default)]
    pub bytes_out: u64,
    /// How often one of its instances was left out for failing.
    #[serde(default)]
    pub ejections: u64,
    /// Latency from request head to response head, in microseconds.
    pub latency: Histogram,
    /// All latencies added up, in microseconds.
    #[serde(default)]
    pub latency_sum_micros: u64,
    /// Copies of requests that were sent to it. None of them is counted above. Left out while there are none.
    #[serde(default, skip_serializing_if = "MirrorStats::is_empty")]
    pub mirror: MirrorStats,
}

impl VersionStats {
    /// Adds what was counted elsewhere of the same version.
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.errors += other.errors;
        self.broken += other.broken;
        self.failed_clients += other.failed_clients;
        self.retries += other.retries;
        self.in_flight += other.in_flight;
        self.last_request_micros = self.last_request_micros.max(other.last_request_micros);
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.ejections += other.ejections;
        self.latency.merge(&other.latency);
        self.latency_sum_micros = self.latency_sum_micros.wrapping_add(other.latency_sum_micros);
        self.mirror.merge(&other.mirror);
    }
}
