//! Opens the target of an environment.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use pilotage_docker::{DockerConfig, DockerTarget, SwarmTarget};
use pilotage_kubernetes::{KubernetesConfig, KubernetesTarget};
use pilotage_secrets::SecretReader;
use pilotage_spec::{DockerSettings, EnvironmentName, KubernetesSettings, ProjectName, TargetSettings};
use pilotage_targets::{Claims, CommandConfig, CommandTarget, HostEdge, Opener, Target, TargetError};

/// What targets are opened with. All paths are absolute.
pub(crate) struct Targets {
    /// What they keep on this machine, a folder for each environment.
    pub(crate) state_folder: PathBuf,
    /// Sockets, and secrets that services have as files.
    pub(crate) run_folder: PathBuf,
    /// The project's folder.
    pub(crate) project_folder: PathBuf,
    /// Reads the secrets of services.
    pub(crate) secrets: SecretReader,
    /// The edge of this machine.
    pub(crate) edge: HostEdge,
    /// What is remembered of workloads.
    pub(crate) claims: Claims,
}

#[async_trait]
impl Opener for Targets {
    async fn open(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
        settings: &TargetSettings,
    ) -> Result<Arc<dyn Target>, TargetError> {
        Ok(match settings {
            TargetSettings::Process => {
                return Err(TargetError::Unsupported {
                    what: format!("opening {environment} a second time"),
                    mend: "this is a fault of Pilotage; please report it".into(),
                });
            }
            TargetSettings::Docker(settings) => {
                Arc::new(DockerTarget::open(self.docker(project, environment, settings))?)
            }
            TargetSettings::Swarm(settings) => {
                Arc::new(SwarmTarget::open(self.docker(project, environment, settings))?)
            }
            TargetSettings::Kubernetes(settings) => {
                Arc::new(KubernetesTarget::open(self.kubernetes(project, environment, settings))?)
            }
            TargetSettings::Command(settings) => Arc::new(CommandTarget::open(CommandConfig::new(
                project.clone(),
                settings,
                self.project_folder.clone(),
                self.state_folder.join(environment.as_str()),
                self.claims.clone(),
                self.secrets.clone(),
            ))?),
        })
    }
}

impl Targets {
    fn docker(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
        settings: &DockerSettings,
    ) -> DockerConfig {
        DockerConfig {
            project: project.clone(),
            environment: environment.clone(),
            settings: settings.clone(),
            project_folder: self.project_folder.clone(),
            run_folder: self.run_folder.clone(),
            secrets: self.secrets.clone(),
            edge: self.edge.clone(),
            claims: self.claims.clone(),
            ssh_program: "ssh".into(),
        }
    }

    fn kubernetes(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
        settings: &KubernetesSettings,
    ) -> KubernetesConfig {
        KubernetesConfig {
            project: project.clone(),
            environment: environment.clone(),
            settings: settings.clone(),
            // Clusters are remembered by name, whichever environment uses them.
            state_folder: self.state_folder.clone(),
            project_folder: self.project_folder.clone(),
            secrets: self.secrets.clone(),
            host_edge: self.edge.clone(),
        }
    }
}
