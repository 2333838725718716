//! What came of a load.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::latency::Latency;

/// How requests ended. Each request is counted once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Answered with a status below 400.
    pub ok: u64,
    /// Answered with 500 or above by the service itself: with its mark, or with a status that an edge never makes up.
    pub failed_by_service: u64,
    /// Answered with 400 to 499: the plan asks for what is not there, or the request was refused.
    pub rejected: u64,
    /// Not answered (no connection, connection cut, time over), or answered 502, 503 or 504 without the service's mark.
    pub dropped: u64,
}

impl Outcomes {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.ok + self.failed_by_service + self.rejected + self.dropped
    }
}

/// A load as counted, so far or to its end. Times are in microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LoadReport {
    /// When the first request was due.
    pub started_micros: i64,
    /// How long the load has run, in milliseconds.
    pub duration_ms: u64,
    /// Requests that have ended, however they did.
    pub requests: u64,
    /// How they ended.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// Requests that were sent a second time because a kept connection turned out to be closed.
    pub resent: u64,
    /// Requests that went to another connection because theirs was being closed in order: HTTP/2 said by GOAWAY that they
    /// were not taken, or a WebSocket was closed with 1001 before it answered. They are counted once more as they end.
    pub moved: u64,
    /// WebSockets that the other side closed with 1001 (going away), as it does when a drain's deadline has come.
    pub told_to_go: u64,
    /// Requests that were due but not sent, because too many were in flight.
    pub not_sent: u64,
    /// Requests sent and not yet ended.
    pub in_flight: u64,
    /// How often requests were dropped, by reason: `refused`, `reset`, `cut`, `timeout`, `502`, `grpc-14` …
    pub drop_reasons: BTreeMap<String, u64>,
    /// The first few dropped requests.
    pub first_drops: Vec<DroppedRequest>,
    /// By version, as the edge names it in its answers; answers without a name are under the empty string.
    pub versions: BTreeMap<String, VersionLoad>,
    /// Latency of all answers.
    pub latency: Latency,
}

/// The answers of one version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VersionLoad {
    /// How its requests ended.
    #[serde(flatten)]
    pub outcomes: Outcomes,
    /// When the first request that it answered was due.
    pub first_sent_micros: i64,
    /// When the last request that it answered was due.
    pub last_sent_micros: i64,
    /// When its first answer was complete.
    pub first_answer_micros: i64,
    /// When its last answer was complete.
    pub last_answer_micros: i64,
    /// Latency of its answers.
    pub latency: Latency,
}

/// One dropped request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedRequest {
    /// When it was due, in microseconds since 1970-01-01T00:00:00Z.
    pub sent_micros: i64,
    /// Its method, or `gRPC` or `WebSocket`.
    pub method: String,
    /// The reason under which it is counted.
    pub reason: String,
    /// What was seen.
    pub detail: String,
}
