//! What the program reads.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Release, Traffic};

/// What the program reads on its standard input: one JSON object, then the end of the input.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Request {
    /// The version of the contract: 1.
    pub contract: u32,
    /// Names this request. When it is asked again, after a transient error or because the answer was `pending`, the name stays
    /// the same; every other request has another.
    pub key: String,
    /// The project's name.
    pub project: String,
    /// What the request is about. Every verb but `describe` has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    /// The right to change something, with `ensure`, `route`, `retire` and `remove`: it rises with every new holder. Pilotage
    /// refuses an older one itself; an engine that can keep a number should refuse it too, with an error of kind `fenced`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fence: Option<u64>,
    /// What is to be done.
    #[serde(flatten)]
    pub verb: Verb,
}

/// Where one service lives.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WorkloadName {
    /// The environment.
    pub environment: String,
    /// The service.
    pub service: String,
}

/// What is to be done. Each verb says how things are to be, not what is to be added: doing it twice is doing it once.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(tag = "verb", rename_all = "snake_case")]
pub enum Verb {
    /// What the engine can do. Answered by `description`.
    Describe,
    /// Make an artifact ready to be run, and say the digest of its content. Answered by `staged`.
    Stage {
        /// The version that it is to be.
        version: String,
        /// Where it is.
        artifact: Artifact,
    },
    /// What is there now. Answered by `observation`. Changes nothing.
    Observe,
    /// Start instances until there are `replicas` of the release that are not failed, and keep them up. Stop none; do not wait
    /// until they are ready.
    Ensure {
        /// What is to be run.
        release: Release,
        /// How many.
        replicas: u32,
    },
    /// Say whether `route` with the same traffic would be refused. Changes nothing.
    CheckRoute {
        /// The traffic.
        traffic: Traffic,
    },
    /// Give each version its share in one switch. Answered by `routed`, or by nothing if users reach the workload where the
    /// traffic says.
    Route {
        /// The traffic.
        traffic: Traffic,
    },
    /// Stop instances of a version gracefully until `keep` are left, first those that are not ready. Answer `pending` until they
    /// are gone.
    Retire {
        /// The version.
        version: String,
        /// How many are kept.
        keep: u32,
    },
    /// Stop everything of the workload, and serve it no longer. Answer `pending` until it is gone.
    Remove,
    /// The last lines that instances wrote, oldest first. Answered by `lines`.
    Logs {
        /// Which of them.
        query: LogQuery,
    },
}

/// What is to be made ready.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Artifact {
    /// The absolute path of a file or folder on the machine of the control plane.
    Path(String),
    /// An image, as it is written in the file.
    Image(String),
}

/// Which lines are wanted.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LogQuery {
    /// Only of this version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// At most so many.
    pub lines: u32,
    /// Only lines written after this time, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
