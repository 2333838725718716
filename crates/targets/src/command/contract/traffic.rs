//! The traffic, as the program is told.

use schemars::JsonSchema;
use serde::Serialize;

use super::Share;

/// How the traffic of a workload is to be shared.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Traffic {
    /// Where users are to reach the workload, an IP address with a port; port 0 leaves the port to the program, which chooses
    /// once and keeps it. A program whose load balancer has an address of its own may leave this alone.
    pub listen: String,
    /// Shares, the newest version first; they add up to 10,000. Empty: nobody is served.
    pub shares: Vec<Share>,
    /// Hosts that the workload is served for; empty means all.
    pub hosts: Vec<String>,
    /// The beginning of the paths that it is served for.
    pub path: String,
    /// How long a request should wait while no instance can take it; with `holds_requests` only.
    pub hold_ms: u64,
    /// Clients that go to a version whatever the shares say; with `cohorts` only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cohorts: Vec<Cohort>,
    /// Copies of requests to a version that is tried out; with `mirror` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
    /// A version that is also served at an address of its own; with `preview` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
}

/// Clients that go to a version. Of several cohorts, the first that fits decides.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Cohort {
    /// What it is called.
    pub name: String,
    /// What a request must fulfil, all of it.
    pub when: Vec<Condition>,
    /// The version that takes it.
    pub version: String,
    /// Which part of the cohort's clients goes there, in hundredths of a percent; the rest goes by the shares.
    pub share: u32,
}

/// One thing about a request: exactly one of `header`, `cookie` and `query` names where to look.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Condition {
    /// The name of a request header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The name of a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
    /// The name of a parameter in the query of the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// What must be found there.
    #[serde(flatten)]
    pub test: Test,
}

/// What must be found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Just this.
    Equals(String),
    /// Beginning with this.
    Prefix(String),
    /// Being there or not.
    Present(bool),
}

impl Default for Test {
    fn default() -> Self {
        Self::Present(true)
    }
}

/// Copies of requests whose answers nobody sees.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Mirror {
    /// The version that gets the copies.
    pub version: String,
    /// Which part of the requests is copied, in hundredths of a percent.
    pub share: u32,
    /// Also copies requests that change something.
    pub unsafe_methods: bool,
}

/// A version at an address of its own.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Preview {
    /// The version.
    pub version: String,
    /// The address.
    pub listen: String,
}
