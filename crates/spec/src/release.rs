//! What is deployed: a release, and how one instance of it is run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::Resources;
use crate::{
    Digest, EnvironmentName, HttpPath, ImageReference, KubernetesWorkload, SecretSource, ServiceName,
    VariableName, Version, duration_ms,
};

/// Where one service lives: at most one deployment moves it at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Workload {
    /// The environment.
    pub environment: EnvironmentName,
    /// The service.
    pub service: ServiceName,
}

impl fmt::Display for Workload {
    /// `environment/service`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.environment, self.service)
    }
}

/// A release by name: a version and the digest of its artifact. Within a service a version has one digest for ever.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReleaseId {
    /// The semantic version.
    pub version: Version,
    /// The digest of the artifact's content.
    pub digest: Digest,
}

/// A release together with how it is run in one environment: all that is needed to bring it up again later, even when
/// the file has changed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Version and digest.
    #[serde(flatten)]
    pub id: ReleaseId,
    /// How one instance is run.
    pub instance: InstanceSpec,
}

/// How one instance of a release is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceSpec {
    /// Program and arguments. `$PORT` (or `$PILOTAGE_SOCKET`) and the names in `env` are substituted,
    /// nothing else; no shell is involved. A
    /// program with a `/` is looked up in the unpacked artifact unless it is absolute; any other on `PATH`.
    pub run: Vec<String>,
    /// Environment variables beside those that every instance gets.
    pub env: BTreeMap<VariableName, Value>,
    /// The paths that are probed.
    pub health: Health,
    /// What one instance may use.
    pub resources: Resources,
    /// How long an instance has from SIGTERM to SIGKILL.
    #[serde(with = "duration_ms", rename = "stop_grace_ms")]
    pub stop_grace: Duration,
    /// How long an instance may take to become ready.
    #[serde(with = "duration_ms", rename = "start_timeout_ms")]
    pub start_timeout: Duration,
    /// Commands that must succeed against an instance, as argument lists. `$URL` and `$VERSION` are substituted.
    pub smoke: Vec<Vec<String>>,
    /// Where an instance listens.
    #[serde(default, skip_serializing_if = "is_default")]
    pub listen: ListenOn,
    /// What it speaks.
    #[serde(default, skip_serializing_if = "is_default")]
    pub protocol: Protocol,
    /// The image, for what is run as containers; the release says its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageReference>,
    /// The port at which a container listens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_port: Option<u16>,
    /// How it is a workload of Kubernetes, where that is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesWorkload>,
    /// The digest of the objects that it was rendered to, which its target keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub objects: Option<Digest>,
    /// What its first process is sent when a secret that it has as a file has changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload: Option<ReloadSignal>,
}

/// A signal at which a service reads its files anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReloadSignal {
    /// SIGHUP.
    Hup,
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2.
    Usr2,
}

impl ReloadSignal {
    /// The words of the file.
    pub const WORDS: [(&'static str, Self); 3] =
        [("SIGHUP", Self::Hup), ("SIGUSR1", Self::Usr1), ("SIGUSR2", Self::Usr2)];
}

/// Where an instance listens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListenOn {
    /// At the TCP port in `PORT`.
    #[default]
    Port,
    /// At a unix socket that it creates at the path in `PILOTAGE_SOCKET`.
    Socket,
    /// At a unix socket that it is handed as descriptor 3, listening already; see sd_listen_fds(3).
    Passed,
}

/// What an instance speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2 without TLS, by prior knowledge, as gRPC servers do.
    Http2,
}

/// What is left at its default is not written, so that the digest of an older plan stays what it was.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The paths that are probed, each answered with a status from 200 to 399 when all is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Whether the process works at all; an instance that fails it three times in a row is restarted.
    pub live: Option<HttpPath>,
    /// Whether it can take traffic. Without one, an accepted connection counts as ready.
    pub ready: Option<HttpPath>,
    /// The time between two probes.
    #[serde(with = "duration_ms", rename = "interval_ms")]
    pub interval: Duration,
    /// How long a probe may take.
    #[serde(with = "duration_ms", rename = "timeout_ms")]
    pub timeout: Duration,
}

/// The value of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Written in the file.
    Plain(String),
    /// A reference; the secret itself is read only when an instance starts, and never stored.
    Secret(SecretSource),
    /// The same, given as a file: the variable holds the path of a file that only the instance's user can read.
    SecretFile(SecretSource),
}
