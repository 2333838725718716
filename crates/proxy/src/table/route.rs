//! One served workload, its versions and their instances.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::socket;
use super::{Address, ClientKey, Cohort, Ejection, Mirror, Retries, RouteLimits, Timeouts};

/// One served workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// What the route is called, for counters and messages: `environment/service`.
    pub name: String,
    /// The address on which it is served.
    #[serde(serialize_with = "socket::serialize")]
    pub listen: SocketAddr,
    /// The hosts that it is served for: `shop.example.com`, or `*.example.com` for one label more. Empty: every host that
    /// no other route on the address names. Lower case, without a port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// The beginning of the paths that it is served for, by whole segments: `/shop` takes `/shop` and `/shop/cart`, not
    /// `/shopping`. Of several routes, the longest path decides.
    #[serde(default = "root", skip_serializing_if = "is_root")]
    pub path: String,
    /// The versions that share its traffic. The order is that of the split: a client whose hash falls below the first
    /// pool's weight goes to the first, and so on, so that raising a weight moves clients only one way.
    pub pools: Vec<Pool>,
    /// How long a request waits while no endpoint can take it, in milliseconds, before it is answered with 503.
    pub hold_ms: u64,
    /// What tells one client from another, the first that a request has; empty means the signed cookie, then the header
    /// `X-Client-Id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub client_keys: Vec<ClientKey>,
    /// Clients that go to a version whatever the weights say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cohorts: Vec<Cohort>,
    /// Copies of requests to a version that is tried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror: Option<Mirror>,
    /// Time limits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub timeouts: Timeouts,
    /// Limits in size and number.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: RouteLimits,
    /// When requests are sent again.
    #[serde(default, skip_serializing_if = "is_default")]
    pub retries: Retries,
    /// When instances are left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ejection: Ejection,
    /// A new instance beside older ones gets its full part of the requests only after so many milliseconds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub slow_start_ms: u64,
    /// How long WebSockets and other tunnels may go on after their version has lost its share, in milliseconds.
    #[serde(default = "default_tunnel_drain", skip_serializing_if = "is_default_tunnel_drain")]
    pub tunnel_drain_ms: u64,
}

impl Route {
    /// A route with defaults, for every host and path, and without versions.
    pub fn new(name: impl Into<String>, listen: SocketAddr) -> Self {
        Self {
            name: name.into(),
            listen,
            hosts: Vec::new(),
            path: root(),
            pools: Vec::new(),
            hold_ms: 0,
            client_keys: Vec::new(),
            cohorts: Vec::new(),
            mirror: None,
            timeouts: Timeouts::default(),
            limits: RouteLimits::default(),
            retries: Retries::default(),
            ejection: Ejection::default(),
            slow_start_ms: 0,
            tunnel_drain_ms: default_tunnel_drain(),
        }
    }
}

/// The instances of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The version, for counters and for the `Pilotage-Version` response header.
    pub version: String,
    /// Its share of the clients, in hundredths of a percent.
    pub weight: u32,
    /// What its instances speak.
    #[serde(default, skip_serializing_if = "is_default")]
    pub protocol: Protocol,
    /// Where its ready instances are.
    pub endpoints: Vec<Endpoint>,
}

/// What instances speak.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 without TLS, by prior knowledge, as gRPC servers do.
    Http2,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// The instance's name.
    pub instance: String,
    /// Where it listens.
    pub address: Address,
}

fn root() -> String {
    "/".to_owned()
}

fn is_root(path: &str) -> bool {
    path == "/"
}

fn default_tunnel_drain() -> u64 {
    30_000
}

fn is_default_tunnel_drain(ms: &u64) -> bool {
    *ms == default_tunnel_drain()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
