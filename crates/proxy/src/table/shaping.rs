//! Who goes to which version, beyond the weights.

use serde::{Deserialize, Serialize};

/// What tells one client from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientKey {
    /// A cookie that the edge sets and signs.
    Cookie,
    /// The value of this request header.
    Header(String),
    /// The client's IP address. Behind a proxy that is not trusted, everybody has the same.
    Address,
}

/// Some of the clients, sent to a version whatever the weights say. Of several, the first that fits decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cohort {
    /// What it is called, in messages.
    pub name: String,
    /// What a request must fulfil, all of it.
    pub when: Vec<Condition>,
    /// The version that takes it.
    pub version: String,
    /// Which part of the cohort's clients goes there, in hundredths of a percent; the rest goes by the weights. Raising
    /// it never brings a client back.
    #[serde(default = "everybody")]
    pub share: u32,
}

/// One thing about a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Where to look.
    #[serde(flatten)]
    pub source: Source,
    /// What must be found there.
    #[serde(flatten)]
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
    /// A parameter of this name in the query of the URL, percent-decoded.
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
    /// The pool that gets the copies.
    pub version: String,
    /// Which part of the requests is copied, in hundredths of a percent.
    pub share: u32,
    /// Copies stop for the rest of the second when they have taken so many bytes, heads and bodies together.
    #[serde(default = "default_bytes_per_second")]
    pub bytes_per_second: u64,
    /// A request with a longer body is not copied.
    #[serde(default = "default_copied_body")]
    pub max_body_bytes: u64,
    /// Also copies requests that change something. Only for services that have been told.
    #[serde(default)]
    pub unsafe_methods: bool,
    /// How long a copy may take altogether, in milliseconds.
    #[serde(default = "default_copy_limit")]
    pub timeout_ms: u64,
    /// Compares the answers to copies with those that users get.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<MirrorComparison>,
}

/// How the answer to a copy is compared with the one that the user got. Statuses always are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorComparison {
    /// Compares bodies too: JSON by what it says, anything else byte by byte.
    #[serde(default)]
    pub bodies: bool,
    /// What may differ in bodies of JSON: JSON pointers (RFC 6901), in which `*` stands for any key or index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Longer bodies are not compared. Of each comparison that waits for one of the answers, so many bytes are kept of both.
    #[serde(default = "default_compared_body")]
    pub max_body_bytes: u64,
}

fn everybody() -> u32 {
    super::FULL_WEIGHT
}

fn default_bytes_per_second() -> u64 {
    10 * 1024 * 1024
}

fn default_copied_body() -> u64 {
    64 * 1024
}

fn default_compared_body() -> u64 {
    64 * 1024
}

fn default_copy_limit() -> u64 {
    10_000
}
