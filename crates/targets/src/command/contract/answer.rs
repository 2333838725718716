//! What the program writes.

use std::net::SocketAddr;

use pilotage_spec::{Digest, Version};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Line, Observation};

/// What the program writes to its standard output: one JSON object, then it ends with exit code 0. `error` and `pending` may
/// answer any verb; the others belong to theirs. Fields that are not listed are ignored.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
pub struct Answer {
    /// The version of the contract: 1.
    pub contract: u32,
    /// It could not be done.
    #[serde(default)]
    pub error: Option<Fault>,
    /// It is under way: the same request is asked again after a while.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// Answers `describe`.
    #[serde(default)]
    pub description: Option<Description>,
    /// Answers `stage`.
    #[serde(default)]
    pub staged: Option<Staged>,
    /// Answers `observe`.
    #[serde(default)]
    pub observation: Option<Observation>,
    /// Answers `route`, if users reach the workload elsewhere than where the traffic says.
    #[serde(default)]
    pub routed: Option<Routed>,
    /// Answers `logs`.
    #[serde(default)]
    pub lines: Option<Vec<Line>>,
}

/// Why it could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Fault {
    /// What follows from it.
    pub kind: FaultKind,
    /// What was wrong and where, in a sentence.
    pub message: String,
    /// What to do.
    #[serde(default)]
    pub mend: Option<String>,
    /// With `fenced`: the token that the engine has seen.
    #[serde(default)]
    pub held: Option<u64>,
}

/// What follows from an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// It may work in a moment, such as after a time limit, a limit of rates or a server's error: it is asked again.
    Transient,
    /// It will not work until somebody changes something.
    Permanent,
    /// Another holder has taken over.
    Fenced,
    /// This engine cannot do it.
    Unsupported,
}

/// Work that goes on without the program.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Pending {
    /// What is waited for, in a sentence: it is shown if it takes too long.
    pub message: String,
    /// When to ask again, in milliseconds from now: from 100 to 30,000, default 2,000.
    #[serde(default)]
    pub again_ms: Option<u64>,
}

/// What the engine can do. What is not said it cannot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Description {
    /// How it shares the traffic between two versions.
    pub weights: Weights,
    /// Sends clients by header, cookie or query.
    #[serde(default)]
    pub cohorts: bool,
    /// Copies requests to another version.
    #[serde(default)]
    pub mirror: bool,
    /// Serves a version at a second address.
    #[serde(default)]
    pub preview: bool,
    /// Lets requests wait while no instance can take them.
    #[serde(default)]
    pub holds_requests: bool,
    /// How the program is told the secrets of instances.
    #[serde(default)]
    pub secrets: SecretsAs,
}

/// How an engine shares the traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weights {
    /// Exactly as asked for.
    Exact,
    /// By the numbers of instances.
    ByReplicas,
    /// All or nothing.
    Switch,
}

/// How the program is told the secrets of instances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretsAs {
    /// Where they are: the engine reads them itself.
    #[default]
    References,
    /// What they are: Pilotage reads them, and hands them over on standard input.
    Values,
}

/// An artifact that is ready to be run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Staged {
    /// The digest of its content: `sha256:` and 64 hexadecimal digits. The same content has the same for ever.
    #[schemars(with = "String")]
    pub digest: Digest,
}

/// Where users reach the workload.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Routed {
    /// An IP address with a port.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
}

/// The traffic as the engine has it now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct Shares {
    /// Where users reach the workload, if that is not where the traffic of `route` said.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub listen: Option<SocketAddr>,
    /// The shares in force, as they are: somebody may have changed them by hand.
    pub shares: Vec<Share>,
}

/// What one version gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// The version.
    #[schemars(with = "String")]
    pub version: Version,
    /// Hundredths of a percent.
    pub share: u32,
}
