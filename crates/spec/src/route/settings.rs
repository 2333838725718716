//! What is done for requests on their way to a workload.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{HeaderName, Host, PathPrefix, duration_ms};

/// How a service is reached in an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// Whether it shares the environment's edge with others; otherwise it has a port of its own.
    pub at_edge: bool,
    /// Its route.
    pub settings: RouteSettings,
}

/// Which requests go to a workload, and what is done for them on the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RouteSettings {
    /// The hosts that it is served for; empty means every host that no other service on the address names.
    pub hosts: Vec<Host>,
    /// The beginning of the paths that it is served for. It is passed on as it is.
    pub path: PathPrefix,
    /// Time limits.
    pub timeouts: Timeouts,
    /// Limits in size and number.
    pub limits: Limits,
    /// When requests are sent again.
    pub retries: Retries,
    /// When instances are left out.
    pub eject: Ejection,
    /// A new instance beside older ones gets its full part of the requests only after so long.
    #[serde(with = "duration_ms", rename = "slow_start_ms")]
    pub slow_start: Duration,
    /// How long WebSockets and other tunnels may go on after their version has lost its share.
    #[serde(with = "duration_ms", rename = "drain_ms")]
    pub drain: Duration,
    /// What tells one client from another, the first that a request has; never empty.
    pub sticky: Vec<ClientKey>,
}

impl Default for RouteSettings {
    fn default() -> Self {
        Self {
            hosts: Vec::new(),
            path: PathPrefix::default(),
            timeouts: Timeouts::default(),
            limits: Limits::default(),
            retries: Retries::default(),
            eject: Ejection::default(),
            slow_start: Duration::ZERO,
            drain: Duration::from_secs(30),
            sticky: vec![ClientKey::Cookie, ClientKey::Header(HeaderName::client_id())],
        }
    }
}

impl RouteSettings {
    /// Whether nothing differs from the defaults.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Time limits on the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timeouts {
    /// Until an instance is connected to.
    #[serde(with = "duration_ms", rename = "connect_ms")]
    pub connect: Duration,
    /// Until an instance begins its answer, after it has the whole request.
    #[serde(with = "duration_ms", rename = "first_byte_ms")]
    pub first_byte: Duration,
    /// Between two parts of a body, either way.
    #[serde(with = "duration_ms", rename = "idle_ms")]
    pub idle: Duration,
    /// From head to end; `None` has no limit.
    #[serde(with = "duration_ms::option", rename = "total_ms")]
    pub total: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(1),
            first_byte: Duration::from_secs(60),
            idle: Duration::from_secs(300),
            total: None,
        }
    }
}

/// How much a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// The longest body of a request, in bytes.
    pub body: Option<u64>,
    /// Requests that one instance works on at a time; more wait in the queue.
    pub in_flight: Option<u32>,
    /// Requests that may wait while all instances are full.
    pub queue: u32,
    /// How long one waits.
    #[serde(with = "duration_ms", rename = "queue_for_ms")]
    pub queue_for: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: None, in_flight: None, queue: 1_024, queue_for: Duration::from_secs(10) }
    }
}

/// How often requests are sent again that can be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Retries {
    /// One request at most so often.
    pub attempts: u32,
    /// At most so many of a hundred requests.
    pub budget_percent: u32,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 2, budget_percent: 20 }
    }
}

/// When an instance is left out for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ejection {
    /// After so many failures in a row; `None` never.
    pub after: Option<u32>,
    /// For so long, the first time.
    #[serde(with = "duration_ms", rename = "for_ms")]
    pub pause: Duration,
    /// At least so many of a hundred instances stay in.
    pub keep_percent: u32,
}

impl Default for Ejection {
    fn default() -> Self {
        Self { after: Some(5), pause: Duration::from_secs(1), keep_percent: 50 }
    }
}

/// What tells one client from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKey {
    /// A cookie that the edge sets and signs.
    Cookie,
    /// The value of this request header.
    Header(HeaderName),
    /// The client's IP address.
    Address,
}
