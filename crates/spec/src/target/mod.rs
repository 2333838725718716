//! What runs the instances of an environment, and what it can do.

mod capabilities;
mod cluster;
mod command;
mod controller;
mod docker;
mod kubernetes;

pub use capabilities::{Capabilities, Weights};
pub use cluster::{Cluster, ClusterReach};
pub use command::CommandSettings;
pub use controller::{ControllerOrder, RolloutController};
pub use docker::{DockerSettings, EngineHost, EngineHostError, RegistryLogin, TlsFiles};
pub use kubernetes::{KubernetesSettings, KubernetesTraffic, KubernetesWorkload, Manifests, WorkloadKind};

use serde::{Deserialize, Serialize};

/// What runs the instances of an environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetSettings {
    /// Processes on this machine.
    #[default]
    Process,
    /// Containers of one Docker Engine, or of podman.
    Docker(Box<DockerSettings>),
    /// Services of a Docker Swarm.
    Swarm(Box<DockerSettings>),
    /// Pods of a Kubernetes cluster.
    Kubernetes(Box<KubernetesSettings>),
    /// A program of the team's own.
    Command(Box<CommandSettings>),
}

impl TargetSettings {
    /// The kind as written in the file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Docker(_) => "docker",
            Self::Swarm(_) => "swarm",
            Self::Kubernetes(_) => "kubernetes",
            Self::Command(_) => "command",
        }
    }

    /// Whether it runs images. `None`: that is for the program of the team's own to say.
    pub fn runs_images(&self) -> Option<bool> {
        match self {
            Self::Process => Some(false),
            Self::Docker(_) | Self::Swarm(_) | Self::Kubernetes(_) => Some(true),
            Self::Command(_) => None,
        }
    }
}
