//! What a target on an engine is opened with.

use std::path::PathBuf;

use pilotage_secrets::SecretReader;
use pilotage_spec::{DockerSettings, EnvironmentName, ProjectName};
use pilotage_targets::{Claims, HostEdge, TargetError};

use crate::engine::{Certificates, Engine};
use crate::image::Login;
use crate::names::Scope;

/// What a [`DockerTarget`](crate::DockerTarget) or [`SwarmTarget`](crate::SwarmTarget) is opened with. All paths are absolute.
#[derive(Clone)]
pub struct DockerConfig {
    /// The project, after which everything on the engine is called.
    pub project: ProjectName,
    /// The environment.
    pub environment: EnvironmentName,
    /// What the file says of the engine.
    pub settings: DockerSettings,
    /// What the paths of the file are relative to.
    pub project_folder: PathBuf,
    /// A folder in memory, for secrets that containers of this machine have as files.
    pub run_folder: PathBuf,
    /// Reads the secrets of services, and the password of the registry.
    pub secrets: SecretReader,
    /// Sends users to the containers.
    pub edge: HostEdge,
    /// Who may act on what.
    pub claims: Claims,
    /// The program by which `ssh://` is reached, looked up on `PATH` unless it has a `/`.
    pub ssh_program: PathBuf,
}

/// What containers may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Hardening {
    /// Whether they may write to their own file system.
    pub writable_root: bool,
    /// The capabilities that they keep.
    pub capabilities: Vec<String>,
    /// Whom they run as; else as their image says.
    pub user: Option<String>,
}

impl DockerConfig {
    pub(crate) fn scope(&self) -> Scope {
        Scope { project: self.project.clone(), environment: self.environment.clone() }
    }

    pub(crate) fn engine(&self) -> Result<Engine, TargetError> {
        let certificates = self.settings.tls.as_ref().map(|files| Certificates {
            ca: self.project_folder.join(&files.ca),
            cert: self.project_folder.join(&files.cert),
            key: self.project_folder.join(&files.key),
        });
        Engine::new(&self.settings.host, certificates, &self.ssh_program)
    }

    pub(crate) fn login(&self) -> Login {
        Login::new(self.settings.registry.clone(), self.secrets.clone())
    }

    pub(crate) fn hardening(&self) -> Hardening {
        Hardening {
            writable_root: self.settings.writable_root,
            capabilities: self.settings.capabilities.clone(),
            user: self.settings.user.clone(),
        }
    }

    /// The network of the environment, and whether it is ours to make.
    pub(crate) fn network(&self) -> (String, bool) {
        match &self.settings.network {
            Some(name) => (name.clone(), false),
            None => (self.scope().network(), true),
        }
    }

    /// Where the secrets of all containers of this machine lie.
    pub(crate) fn secrets_folder(&self) -> PathBuf {
        self.run_folder.join("containers")
    }
}
