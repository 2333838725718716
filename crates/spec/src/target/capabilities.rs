//! What a target can do with traffic, so that a plan that needs more is refused before anything moves.

use serde::{Deserialize, Serialize};

/// How finely a target shares traffic between two versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weights {
    /// To a hundredth of a percent.
    Exact,
    /// As the ready instances of the versions stand to each other.
    ByReplicas,
    /// All or nothing.
    Switch,
}

/// What a target can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// How finely it shares traffic.
    pub weights: Weights,
    /// Whether clients can be sent to a version by header or cookie.
    pub cohorts: bool,
    /// Whether a version can be sent copies of requests.
    pub mirror: bool,
    /// Whether a version can be reached at an address of its own before it has traffic.
    pub preview: bool,
    /// Whether it counts requests, failures and latency per version.
    pub counters: bool,
    /// Whether requests wait while no instance can take them.
    pub holds_requests: bool,
}

impl Capabilities {
    /// Those of Pilotage's own edge: everything.
    pub const EDGE: Self = Self {
        weights: Weights::Exact,
        cohorts: true,
        mirror: true,
        preview: true,
        counters: true,
        holds_requests: true,
    };
}
