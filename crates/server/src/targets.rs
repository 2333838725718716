//! Opens the target of an environment.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use pilotage_secrets::SecretReader;
use pilotage_spec::{EnvironmentName, TargetSettings};
use pilotage_targets::{Claims, HostEdge, Opener, Target, TargetError};

/// What targets are opened with.
pub(crate) struct Targets {
    /// What they keep on this machine, a folder each.
    pub(crate) state_folder: PathBuf,
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
        environment: &EnvironmentName,
        settings: &TargetSettings,
    ) -> Result<Arc<dyn Target>, TargetError> {
        let _ = (&self.state_folder, &self.project_folder, &self.secrets, &self.edge, &self.claims);
        Err(TargetError::Unsupported {
            what: format!("the target `{}` of {environment}", settings.kind()),
            mend: "use `target: process`".into(),
        })
    }
}
