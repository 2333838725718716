//! What a Kubernetes target is opened with.

use std::path::PathBuf;

use pilotage_secrets::SecretReader;
use pilotage_spec::{EnvironmentName, KubernetesSettings, ProjectName};
use pilotage_targets::HostEdge;

/// One environment that runs in a cluster. Paths are absolute.
#[derive(Debug, Clone)]
pub struct KubernetesConfig {
    /// The project.
    pub project: ProjectName,
    /// The environment.
    pub environment: EnvironmentName,
    /// What the file says of its target.
    pub settings: KubernetesSettings,
    /// What is kept of clusters on this machine: their identities, rendered objects.
    pub state_folder: PathBuf,
    /// The project's folder: paths of the file begin there.
    pub project_folder: PathBuf,
    /// Reads the secrets of services.
    pub secrets: SecretReader,
    /// The host's edge, for environments that are served by it.
    pub host_edge: HostEdge,
}
