//! What every route works with.

use std::sync::Arc;

use pilotage_conductor::Conductor;
use pilotage_journal::{Journal, Reader};
use pilotage_spec::{Project, Workload};
use pilotage_targets::ProcessTarget;
use tokio::sync::watch;

use crate::error::{ErrorBody, ErrorKind};
use crate::{ServerConfig, read_project};

/// What every route works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) journal: Journal,
    pub(crate) target: Arc<ProcessTarget>,
    pub(crate) conductor: Conductor,
    /// Becomes true when the server stops, so that answers without an end come to one.
    pub(crate) closing: Arc<watch::Sender<bool>>,
}

impl Context {
    /// The project as its file says now.
    pub(crate) fn project(&self) -> Result<Project, ErrorBody> {
        Ok(read_project(&self.config.project_file)?)
    }

    pub(crate) fn reader(&self) -> Reader {
        self.journal.reader()
    }

    /// A service in an environment, both as people type them.
    pub(crate) fn workload(
        &self,
        project: &Project,
        environment: &str,
        service: &str,
    ) -> Result<Workload, ErrorBody> {
        let (service, _) = project.service(service)?;
        let (environment, _) = project.environment(environment)?;
        Ok(Workload { environment: environment.clone(), service: service.clone() })
    }
}

/// Does what takes the disk some time on a thread of its own, so that other answers do not wait for it.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorBody> + Send + 'static,
) -> Result<T, ErrorBody> {
    let lost = |_| ErrorBody::new(ErrorKind::Internal, "the work ended unexpectedly; see the server's log");
    tokio::task::spawn_blocking(work).await.map_err(lost)?
}
