//! Who goes to which version beyond the shares. Strategies decide it; the file does not say it.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Version, duration_ms};

/// Some of the clients, sent to a version whatever the shares say. Of several, the first that fits decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cohort {
    /// What it is called, in messages.
    pub name: String,
    /// What a request must fulfil, all of it.
    pub when: Vec<Condition>,
    /// The version that takes it.
    pub version: Version,
    /// Which part of the cohort's clients goes there, in hundredths of a percent; the rest goes by the shares.
    pub share: u32,
}

/// One thing about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Where to look.
    pub source: Source,
    /// What must be found there.
    pub test: Test,
}

/// Where a condition looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A request header of this name.
    Header(String),
    /// A cookie of this name.
    Cookie(String),
    /// A parameter of this name in the query of the URL.
    Query(String),
}

/// What a condition asks of the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Just this.
    Equals(String),
    /// Beginning with this.
    Prefix(String),
    /// Being there (`true`) or not (`false`).
    Present(bool),
}

/// Copies of requests, sent to a version whose answers nobody sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirror {
    /// The version that gets the copies. It needs no share of the traffic.
    pub version: Version,
    /// Which part of the requests is copied, in hundredths of a percent.
    pub share: u32,
    /// Copies stop for the rest of a second when they have taken so many bytes.
    pub bytes_per_second: u64,
    /// A request with a longer body is not copied.
    pub max_body_bytes: u64,
    /// Also copies requests that change something.
    pub unsafe_methods: bool,
    /// How long a copy may take altogether.
    #[serde(with = "duration_ms", rename = "timeout_ms")]
    pub timeout: Duration,
    /// Compares the answers to copies with those that users get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<MirrorComparison>,
}

/// How the answer to a copy is compared with the one that the user got. Statuses always are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorComparison {
    /// Compares bodies too: JSON by what it says, anything else byte by byte.
    pub bodies: bool,
    /// What may differ in bodies of JSON: JSON pointers (RFC 6901), in which `*` stands for any key or index.
    pub ignore: Vec<String>,
    /// Longer bodies are not compared.
    pub max_body_bytes: u64,
}

/// A version that is served at an address of its own, beside the one of the users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The version.
    pub version: Version,
    /// Where it is reached.
    pub listen: SocketAddr,
}
