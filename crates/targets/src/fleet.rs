//! The targets of a project: each environment has one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use pilotage_proxy::EdgeStats;
use pilotage_spec::{
    Capabilities, ControllerOrder, Digest, Environment, EnvironmentName, Project, ProjectName, Release,
    TargetSettings, Version, Workload,
};
use tokio::sync::watch;

use crate::process::Tasks;
use crate::{
    ControllerRollout, Fence, Finding, Inspection, LogLine, LogQuery, Observation, ProcessTarget,
    RefreshedSecrets, Routed, Source, Staged, Target, TargetError, Traffic,
};

/// Opens targets that are no processes on this machine.
#[async_trait]
pub trait Opener: Send + Sync {
    /// The target of an environment. It may be opened while its engine is out of reach: then its methods say so.
    async fn open(
        &self,
        project: &ProjectName,
        environment: &EnvironmentName,
        settings: &TargetSettings,
    ) -> Result<Arc<dyn Target>, TargetError>;
}

/// Finds the target of each workload by its environment. Targets are opened when they are needed first; one that cannot be opened is
/// in nobody else's way.
pub struct Fleet {
    process: Arc<ProcessTarget>,
    opener: Box<dyn Opener>,
    settings: Mutex<BTreeMap<EnvironmentName, (ProjectName, TargetSettings)>>,
    opened: Mutex<BTreeMap<EnvironmentName, Opened>>,
    changes: watch::Sender<u64>,
    tasks: Tasks,
}

/// A target with what it was opened by.
#[derive(Clone)]
struct Opened {
    settings: TargetSettings,
    target: Arc<dyn Target>,
}

impl Fleet {
    /// Processes, and whatever else can be opened. An environment of which nothing is said has processes.
    pub fn new(process: Arc<ProcessTarget>, opener: Box<dyn Opener>) -> Self {
        let fleet = Self {
            opener,
            settings: Mutex::default(),
            opened: Mutex::default(),
            changes: watch::Sender::new(0),
            tasks: Tasks::default(),
            process,
        };
        fleet.follow(fleet.process.changes());
        fleet
    }

    /// Takes in what the file says of environments. Those that it names no longer stay as they were: something may run there.
    pub fn configure(&self, project: &Project) {
        let mut settings = lock(&self.settings);
        for (environment, Environment { target, .. }) in &project.environments {
            if *target == TargetSettings::Process {
                // From the beginning, so that the edge knows where nothing is left.
                self.process.take_on(environment);
            }
            settings.insert(environment.clone(), (project.name.clone(), target.clone()));
        }
    }

    /// The target of processes on this machine.
    pub fn process(&self) -> &Arc<ProcessTarget> {
        &self.process
    }

    /// The target of an environment.
    ///
    /// # Errors
    /// Fails if its target cannot be opened.
    pub async fn target(&self, environment: &EnvironmentName) -> Result<Arc<dyn Target>, TargetError> {
        let known = lock(&self.settings).get(environment).cloned();
        let Some((project, settings)) = known.filter(|(_, settings)| *settings != TargetSettings::Process)
        else {
            return Ok(Arc::clone(&self.process) as Arc<dyn Target>);
        };
        let known = lock(&self.opened).get(environment).cloned();
        if let Some(opened) = known.filter(|opened| opened.settings == settings) {
            return Ok(opened.target);
        }
        let target = self.opener.open(&project, environment, &settings).await?;
        let mut opened = lock(&self.opened);
        // Somebody may have been faster; there is to be one of each.
        if let Some(other) = opened.get(environment).filter(|other| other.settings == settings) {
            return Ok(Arc::clone(&other.target));
        }
        self.follow(target.changes());
        opened.insert(environment.clone(), Opened { settings, target: Arc::clone(&target) });
        Ok(target)
    }

    fn follow(&self, mut news: watch::Receiver<u64>) {
        let changes = self.changes.clone();
        self.tasks.spawn(async move {
            while news.changed().await.is_ok() {
                changes.send_modify(|count| *count += 1);
            }
        });
    }

    async fn of(&self, workload: &Workload) -> Result<Arc<dyn Target>, TargetError> {
        self.target(&workload.environment).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panicking holder leaves behind is at worst without an entry.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Target for Fleet {
    async fn capabilities(&self, workload: &Workload) -> Result<Capabilities, TargetError> {
        self.of(workload).await?.capabilities(workload).await
    }

    async fn stage(&self, workload: &Workload, source: &Source) -> Result<Staged, TargetError> {
        self.of(workload).await?.stage(workload, source).await
    }

    async fn observe(&self, workload: &Workload) -> Result<Observation, TargetError> {
        self.of(workload).await?.observe(workload).await
    }

    async fn ensure(
        &self,
        workload: &Workload,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        self.of(workload).await?.ensure(workload, release, replicas, fence).await
    }

    async fn check_route(&self, workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
        self.of(workload).await?.check_route(workload, traffic).await
    }

    async fn route(
        &self,
        workload: &Workload,
        traffic: &Traffic,
        fence: Fence,
    ) -> Result<Routed, TargetError> {
        self.of(workload).await?.route(workload, traffic, fence).await
    }

    async fn stats(&self, workload: &Workload) -> Result<Option<EdgeStats>, TargetError> {
        self.of(workload).await?.stats(workload).await
    }

    async fn retire(
        &self,
        workload: &Workload,
        version: &Version,
        keep: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        self.of(workload).await?.retire(workload, version, keep, fence).await
    }

    async fn remove(&self, workload: &Workload, fence: Fence) -> Result<(), TargetError> {
        self.of(workload).await?.remove(workload, fence).await
    }

    async fn refresh_secrets(&self, workload: &Workload) -> Result<Vec<RefreshedSecrets>, TargetError> {
        self.of(workload).await?.refresh_secrets(workload).await
    }

    async fn inspect(&self, environment: &EnvironmentName) -> Inspection {
        match self.target(environment).await {
            Ok(target) => target.inspect(environment).await,
            Err(error) => Inspection { findings: vec![Finding::bad("settings", error.to_string())] },
        }
    }

    async fn controller_rollout(&self, workload: &Workload) -> Result<ControllerRollout, TargetError> {
        self.of(workload).await?.controller_rollout(workload).await
    }

    async fn order_rollout(
        &self,
        workload: &Workload,
        order: ControllerOrder,
    ) -> Result<ControllerRollout, TargetError> {
        self.of(workload).await?.order_rollout(workload, order).await
    }

    async fn prune_images(
        &self,
        environment: &EnvironmentName,
        keep: &[Digest],
    ) -> Result<Vec<Digest>, TargetError> {
        self.target(environment).await?.prune_images(environment, keep).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn logs(&self, workload: &Workload, query: &LogQuery) -> Result<Vec<LogLine>, TargetError> {
        self.of(workload).await?.logs(workload, query).await
    }
}
