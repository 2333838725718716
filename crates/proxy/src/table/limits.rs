//! Limits in time and size, and what happens when instances fail. All have defaults that suit most services.

use serde::{Deserialize, Serialize};

/// Time limits on the way of a request, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeouts {
    /// Until an instance is connected to.
    pub connect_ms: u64,
    /// Until an instance begins its answer, after it has the whole request.
    pub first_byte_ms: u64,
    /// Between two parts of a body, either way. Streams that may be silent for longer need more; WebSockets have no limit.
    pub idle_ms: u64,
    /// From head to end; `None` has no limit. A gRPC deadline (`grpc-timeout`) counts too, whichever is earlier.
    pub total_ms: Option<u64>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect_ms: 1_000, first_byte_ms: 60_000, idle_ms: 300_000, total_ms: None }
    }
}

/// How much a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteLimits {
    /// Requests with a longer body are answered with 413.
    pub max_body_bytes: Option<u64>,
    /// Requests that one instance works on at a time; more wait in the queue.
    pub max_in_flight: Option<u32>,
    /// Requests of the route that may wait while all instances are full; further ones are answered with 503 at once.
    pub queue: u32,
    /// How long one waits, in milliseconds, before it is answered with 503.
    pub queue_ms: u64,
}

impl Default for RouteLimits {
    fn default() -> Self {
        Self { max_body_bytes: None, max_in_flight: None, queue: 1_024, queue_ms: 10_000 }
    }
}

/// How often requests are sent again. Only those that can be repeated are; see `docs/edge.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retries {
    /// How often one request is sent again at most after an instance took it and broke the connection.
    pub attempts: u32,
    /// How many of a hundred requests may be sent again: a service that fails everywhere is not to get twice the load.
    pub budget_percent: u32,
    /// Retries a second that are allowed whatever the budget says, on each worker thread.
    pub budget_floor: u32,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 2, budget_percent: 20, budget_floor: 10 }
    }
}

/// When an instance is left out for a while. One that cannot be connected to always is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ejection {
    /// After so many failures (status 502 to 504, a broken connection, no answer) in a row; 0 never.
    pub consecutive_failures: u32,
    /// The first time for so long, then twice as long each time, up to a hundredfold; in milliseconds.
    pub pause_ms: u64,
    /// At least so many of a hundred instances of a version stay in, however they fail.
    pub floor_percent: u32,
}

impl Default for Ejection {
    fn default() -> Self {
        Self { consecutive_failures: 5, pause_ms: 1_000, floor_percent: 50 }
    }
}
