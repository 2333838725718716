//! The conductor as others see it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use pilotage_engine::forecast::CurrentTraffic;
use pilotage_engine::{DeploymentEvent, DeploymentId, Phase, Request};
use pilotage_journal::{Journal, LeaseName};
use pilotage_secrets::SecretReader;
use pilotage_spec::{NameError, Project, Timestamp, Workload};
use pilotage_targets::Target;
use pilotage_views as views;
use tokio::sync::{Notify, watch};
use tracing::error;

use crate::alert::AlertLedger;
use crate::gating::{self, Registry, TicketCache};
use crate::log::DeploymentLog;
use crate::request::{Live, Started};
use crate::start::Intent;
use crate::{
    ConductorError, DeployRequest, OpinionRequest, Rerouted, RollbackRequest, adopt, keeper, measure,
    reroute, rotate, start,
};

/// Drives every deployment of a project, and keeps up what is deployed. Cheap to clone.
#[derive(Clone)]
pub struct Conductor {
    pub(crate) inner: Arc<Inner>,
}

/// What a conductor works with.
pub struct Options {
    /// The only state.
    pub journal: Journal,
    /// What runs the instances.
    pub target: Arc<dyn Target>,
    /// Reads the secrets that queries need, and knows those that must not be recorded.
    pub secrets: SecretReader,
    /// What the file says, and whom it knows.
    pub registry: Arc<dyn Registry>,
    /// The project's folder, where smoke suites run.
    pub folder: PathBuf,
    /// Whether to keep up what serves from the beginning; otherwise from [`Conductor::keep`] on.
    pub keep: bool,
}

pub(crate) struct Inner {
    pub(crate) journal: Journal,
    pub(crate) target: Arc<dyn Target>,
    pub(crate) secrets: SecretReader,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) tickets: TicketCache,
    pub(crate) folder: PathBuf,
    keeping: watch::Sender<bool>,
    active: Mutex<HashMap<DeploymentId, Arc<Active>>>,
    /// Held while an id is chosen and its first event recorded.
    pub(crate) starting: tokio::sync::Mutex<()>,
    /// Held while an alert is taken in.
    pub(crate) alerts: tokio::sync::Mutex<AlertLedger>,
}

/// A deployment that is being driven.
#[derive(Default)]
pub(crate) struct Active {
    /// Rung when somebody has asked for something.
    pub(crate) bell: Notify,
    live: Mutex<Live>,
}

impl Active {
    pub(crate) fn show(&self, change: impl FnOnce(&mut Live)) {
        change(&mut lock(&self.live));
    }
}

impl Conductor {
    /// Takes up every deployment that has not ended, and keeps up what serves if that is wanted already.
    ///
    /// # Errors
    /// Fails if the journal cannot be read or written.
    pub async fn start(options: Options) -> Result<Self, ConductorError> {
        let Options { journal, target, secrets, registry, folder, keep } = options;
        let inner = Arc::new(Inner {
            journal,
            target,
            secrets,
            registry,
            tickets: TicketCache::default(),
            folder,
            keeping: watch::Sender::new(keep),
            active: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
            alerts: tokio::sync::Mutex::default(),
        });
        let conductor = Self { inner };
        adopt::unfinished(&conductor).await?;
        tokio::spawn(rotate::rotate(Arc::clone(&conductor.inner)));
        let inner = Arc::clone(&conductor.inner);
        tokio::spawn(async move {
            // It cannot fail: the sender lives as long as what is held here.
            let _ = inner.keeping.subscribe().wait_for(|keeping| *keeping).await;
            // Should it be lost, what is deployed must not be left alone.
            while tokio::spawn(keeper::keep(Arc::clone(&inner))).await.is_err() {
                error!("the keeper was lost; another takes its place");
            }
        });
        Ok(conductor)
    }

    /// Keeps up what serves from now on.
    pub fn keep(&self) {
        self.inner.keeping.send_replace(true);
    }

    /// Works out what a deployment would do, and records nothing.
    ///
    /// # Errors
    /// Fails for the same reasons as [`Self::deploy`].
    pub async fn plan(&self, request: &DeployRequest) -> Result<Started, ConductorError> {
        start::preview(&self.inner, request).await
    }

    /// Records a deployment and begins it. Returns at once; see the journal for how it goes.
    ///
    /// # Errors
    /// Fails if something else moves the workload, or the request contradicts what is there.
    pub async fn deploy(&self, request: &DeployRequest) -> Result<Started, ConductorError> {
        let (conductor, request) = (self.clone(), request.clone());
        to_its_end(async move { start::deploy(&conductor, &request, Intent::Deploy).await }).await
    }

    /// Records a rehearsal of a release's way back and begins it: the release goes out, and is taken back as planned. Returns at
    /// once; see the journal for how it goes.
    ///
    /// # Errors
    /// Fails if something else moves the workload, or there is nothing to go back to.
    pub async fn rehearse(&self, request: &DeployRequest) -> Result<Started, ConductorError> {
        let (conductor, request) = (self.clone(), request.clone());
        to_its_end(async move { start::deploy(&conductor, &request, Intent::Rehearse).await }).await
    }

    /// Records what somebody thinks of the plan of a deployment that waits.
    ///
    /// # Errors
    /// Fails if it does not wait, if another plan is meant than the one that waits, or if a program speaks.
    pub async fn say(&self, id: DeploymentId, said: OpinionRequest) -> Result<(), ConductorError> {
        let mut log = DeploymentLog::load(&self.inner.journal, id)?;
        let deployment = log.deployment();
        if deployment.end.is_some() {
            return Err(ConductorError::Ended(id));
        }
        if !deployment.is_waiting() {
            let why = format!(
                "{id} does not wait for anybody: it is under way; `pilotage abort {id}` takes it back"
            );
            return Err(ConductorError::NotNow(why));
        }
        if said.plan_hash != deployment.plan_hash {
            let why = format!("{id} waits with another plan than the one that was looked at; look again");
            return Err(ConductorError::NotNow(why));
        }
        let OpinionRequest { opinion, plan_hash, reason, by } = said;
        let actor = by.principal.to_string();
        let event = DeploymentEvent::Stated { opinion, by: Box::new(by), plan_hash, reason };
        log.record_for(&actor, &event).await?;
        if let Some(active) = self.inner.active(id) {
            active.bell.notify_one();
        }
        Ok(())
    }

    /// The deployment of a workload that waits for its gates, if one does.
    ///
    /// # Errors
    /// Fails if the journal cannot be read.
    pub fn waiting(&self, workload: &Workload) -> Result<Option<DeploymentId>, ConductorError> {
        gating::waiting(&self.inner, workload)
    }

    /// Goes back: takes back the deployment that is under way, or else restores what served before.
    ///
    /// # Errors
    /// Fails if there is nothing to go back to.
    pub async fn roll_back(&self, request: &RollbackRequest) -> Result<Started, ConductorError> {
        let (conductor, request) = (self.clone(), request.clone());
        to_its_end(async move { start::roll_back(&conductor, &request).await }).await
    }

    /// Applies what the file says of routes to what runs, and says what is different. Instances are not touched.
    ///
    /// # Errors
    /// Fails if the journal cannot be written, or the target cannot be asked; what is recorded is tried again later.
    pub async fn reroute(
        &self,
        project: &Project,
        actor: &str,
        command: &str,
    ) -> Result<Vec<Rerouted>, ConductorError> {
        let (inner, project) = (Arc::clone(&self.inner), project.clone());
        let (actor, command) = (actor.to_owned(), command.to_owned());
        to_its_end(async move { reroute::reroute(&inner, &project, &actor, &command).await }).await
    }

    /// Asks something of a deployment that is under way.
    ///
    /// # Errors
    /// Fails if it has ended, or the request makes no sense now.
    pub async fn request(
        &self,
        id: DeploymentId,
        request: Request,
        reason: Option<String>,
        actor: &str,
    ) -> Result<(), ConductorError> {
        let mut log = DeploymentLog::load(&self.inner.journal, id)?;
        if log.deployment().end.is_some() {
            return Err(ConductorError::Ended(id));
        }
        let phase = log.deployment().phase();
        let refusal = match request {
            Request::Promote | Request::PromoteFully | Request::Pause if phase == Phase::Waiting => {
                Some("it waits for its gates, and nothing has been done yet; see `pilotage status`")
            }
            Request::Promote | Request::PromoteFully if phase == Phase::Soaking => Some(
                "the soak cannot be skipped: the old version stays warm until the new one has proved itself",
            ),
            Request::Promote | Request::PromoteFully | Request::Pause if phase == Phase::RollingBack => {
                Some("it is on its way back, and the way back is never held up")
            }
            Request::Promote if !log.deployment().is_watching() => {
                Some("no watch runs now that could be ended; see `pilotage status`")
            }
            Request::Resume if phase != Phase::Paused => Some("it is not paused"),
            _ => None,
        };
        if let Some(refusal) = refusal {
            return Err(ConductorError::NotNow(format!("{id}: {refusal}")));
        }
        log.request(request, reason, actor).await?;
        if let Some(active) = self.inner.active(id) {
            active.bell.notify_one();
        }
        Ok(())
    }

    /// The deployment that moves a workload now, if one does.
    ///
    /// # Errors
    /// Fails if the journal cannot be read.
    pub fn moving(&self, workload: &Workload) -> Result<Option<DeploymentId>, ConductorError> {
        self.inner.moving(workload)
    }

    /// The traffic of a workload as it is now, counted for a second or two; `None` where nothing serves, or the edge cannot be
    /// asked.
    ///
    /// # Errors
    /// Fails if the journal cannot be read.
    pub async fn traffic(&self, workload: &Workload) -> Result<Option<CurrentTraffic>, ConductorError> {
        measure::current_traffic(&self.inner, workload).await
    }

    /// What a deployment that is under way is doing right now.
    pub fn live(&self, id: DeploymentId) -> Option<Live> {
        self.inner.active(id).map(|active| lock(&active.live).clone())
    }

    /// The deployments that are being driven now.
    pub fn driving(&self) -> Vec<DeploymentId> {
        lock(&self.inner.active).keys().copied().collect()
    }
}

impl Inner {
    pub(crate) fn active(&self, id: DeploymentId) -> Option<Arc<Active>> {
        lock(&self.active).get(&id).cloned()
    }

    /// Makes a deployment known as being driven, unless it is already.
    pub(crate) fn enter(&self, id: DeploymentId) -> Option<Arc<Active>> {
        let mut active = lock(&self.active);
        if active.contains_key(&id) {
            return None;
        }
        let entry = Arc::new(Active::default());
        active.insert(id, Arc::clone(&entry));
        Some(entry)
    }

    pub(crate) fn leave(&self, id: DeploymentId) {
        lock(&self.active).remove(&id);
    }

    pub(crate) fn moving(&self, workload: &Workload) -> Result<Option<DeploymentId>, ConductorError> {
        let name = lease_name(workload)?;
        let lease = self.journal.leases()?.into_iter().find(|lease| lease.name == name);
        Ok(lease.and_then(|lease| lease.holder.what.parse().ok()))
    }

    pub(crate) fn record(&self, workload: &Workload) -> Result<views::WorkloadRecord, ConductorError> {
        Ok(views::workload_record(&self.journal.reader(), workload)?)
    }
}

/// Runs what must not stop half way, even if whoever asked for it has gone.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, ConductorError>> + Send + 'static,
) -> Result<T, ConductorError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(error) => Err(ConductorError::NotNow(format!(
            "it was broken off ({error}); `pilotage status` says how far it came"
        ))),
    }
}

/// The lease whose holder may move a workload.
pub(crate) fn lease_name(workload: &Workload) -> Result<LeaseName, NameError> {
    workload.to_string().parse()
}

/// The time now.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(since_epoch.as_micros().try_into().unwrap_or(i64::MAX))
}

/// What a panicking holder leaves behind here is still whole: every change is a single assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
