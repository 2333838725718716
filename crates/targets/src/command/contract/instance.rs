//! What the program says of what is there.

use pilotage_proxy::Address;
use pilotage_spec::{Digest, Timestamp, Version};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Shares, time};

/// What is there now.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Observation {
    /// All instances of the workload that have not been stopped on purpose; one that is being stopped is listed until it is gone.
    pub instances: Vec<Instance>,
    /// The traffic; nothing if the workload is not served.
    #[serde(default)]
    pub traffic: Option<Shares>,
}

/// One instance.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Instance {
    /// Its name, the same as long as it lives, and no other's.
    pub name: String,
    /// The version that it runs.
    #[schemars(with = "String")]
    pub version: Version,
    /// The digest of the release that it runs.
    #[schemars(with = "String")]
    pub digest: Digest,
    /// How it is.
    pub state: State,
    /// With `waiting` and `failed`: why, with what an operator needs to know, such as the last lines it wrote or the engine's event.
    #[serde(default)]
    pub reason: Option<String>,
    /// Where it listens, an IP address with a port: smoke tests are sent there.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub address: Option<Address>,
    /// The process id, if it is one of this machine.
    #[serde(default)]
    pub pid: Option<u32>,
    /// When it was started last, in RFC 3339.
    #[serde(default, deserialize_with = "time::read")]
    #[schemars(with = "Option<String>")]
    pub started_at: Option<Timestamp>,
    /// How often it was restarted after it had ended by itself.
    #[serde(default)]
    pub restarts: u32,
    /// Failed health checks in a row.
    #[serde(default)]
    pub probe_failures: u32,
    /// Processor use, in thousandths of a core.
    #[serde(default)]
    pub cpu_millis: Option<u32>,
    /// Resident memory, in bytes.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
}

/// How an instance is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Started or about to be, not ready yet.
    Starting,
    /// Takes traffic.
    Ready,
    /// Was ready, and fails its health check.
    Unready,
    /// Ended by itself, or cannot be started now; it is tried again.
    Waiting,
    /// Given up.
    Failed,
    /// Being stopped.
    Stopping,
    /// Cannot be reached; whether it runs is unknown.
    Lost,
}

/// One line that an instance wrote.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
pub struct Line {
    /// When, in RFC 3339.
    #[serde(deserialize_with = "time::read_one")]
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// The instance's name.
    pub instance: String,
    /// Its version.
    #[schemars(with = "String")]
    pub version: Version,
    /// Whether it came from standard error.
    #[serde(default)]
    pub stderr: bool,
    /// The text without its line break.
    pub text: String,
}
