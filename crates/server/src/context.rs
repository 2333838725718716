//! What every route works with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pilotage_conductor::Conductor;
use pilotage_journal::{Journal, Reader};
use pilotage_secrets::SecretReader;
use pilotage_spec::{Project, Workload};
use pilotage_targets::Fleet;
use tokio::sync::watch;

use crate::admission::Admission;
use crate::deliveries::Deliveries;
use crate::error::{ErrorBody, ErrorKind};
use crate::guard::Guard;
use crate::latest::Latest;
use crate::{ServerConfig, read_project};

/// What every route works with. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) journal: Journal,
    pub(crate) target: Arc<Fleet>,
    pub(crate) conductor: Conductor,
    /// Who asks, and what they may.
    pub(crate) guard: Guard,
    pub(crate) secrets: SecretReader,
    pub(crate) admission: Admission,
    /// Becomes true when the server stops, so that answers without an end come to one.
    pub(crate) closing: Arc<watch::Sender<bool>>,
    /// Held while what was stopped is being brought back.
    pub(crate) bringing_back: Arc<tokio::sync::Mutex<()>>,
    /// How many deliveries of alerts are taken in.
    pub(crate) deliveries: Arc<Deliveries>,
    latest: Arc<Mutex<Latest>>,
}

impl Context {
    pub(crate) fn new(
        config: ServerConfig,
        journal: Journal,
        target: Arc<Fleet>,
        conductor: Conductor,
        guard: Guard,
        secrets: SecretReader,
    ) -> Self {
        Self {
            config: Arc::new(config),
            journal,
            target,
            conductor,
            guard,
            secrets,
            admission: Admission::default(),
            closing: Arc::new(watch::Sender::new(false)),
            bringing_back: Arc::default(),
            deliveries: Arc::default(),
            latest: Arc::default(),
        }
    }

    /// The project as its file says now.
    pub(crate) async fn project(&self) -> Result<Project, ErrorBody> {
        let config = Arc::clone(&self.config);
        let project = blocking(move || Ok(read_project(&config.project_file)?)).await?;
        self.secrets.configure(&project.secrets);
        self.target.configure(&project);
        Ok(project)
    }

    /// Reads the journal; only to be used within [`blocking`].
    pub(crate) fn reader(&self) -> Reader {
        self.journal.reader()
    }

    /// Which deployments ended last, up to now; only to be used within [`blocking`].
    pub(crate) fn latest(&self) -> Result<MutexGuard<'_, Latest>, ErrorBody> {
        // What a panicking holder leaves behind is at worst empty, and then read anew.
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.catch_up(&self.reader())?;
        Ok(latest)
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

/// Does what takes the disk some time on a thread of its own, so that nothing else waits for it: neither other answers
/// nor the deployments that are under way.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ErrorBody> + Send + 'static,
) -> Result<T, ErrorBody> {
    tokio::task::spawn_blocking(work).await.map_err(|_| lost())?
}

/// Does something to its end, even if nobody waits for the answer any more: a handler is given up as soon as its client
/// goes away.
pub(crate) async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ErrorBody>> + Send + 'static,
) -> Result<T, ErrorBody> {
    tokio::spawn(work).await.map_err(|_| lost())?
}

fn lost() -> ErrorBody {
    ErrorBody::new(ErrorKind::Internal, "the work ended unexpectedly; see the server's log")
}
