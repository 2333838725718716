//! The process target.

use std::sync::Arc;

use async_trait::async_trait;
use pilotage_proxy::{EdgeClient, EdgeStats};
use pilotage_spec::{Capabilities, Digest, EnvironmentName, ImageReference, Release, Version, Workload};
use tokio::sync::watch;

use super::adopt::adopt;
use super::config::ProcessConfig;
use super::logs::read_logs;
use super::registry::Registry;
use super::shared::{Shared, blocking};
use super::store::Store;
use super::tasks::Tasks;
use crate::claims::Claims;
use crate::edge::{EndpointSource, HostEdge};
use crate::{
    Artifact, Fence, LogLine, LogQuery, Observation, RefreshedSecrets, Routed, Source, Staged, Target,
    TargetError, Traffic,
};

/// Runs instances as processes on this machine, behind its edge.
///
/// Dropping it stops nothing: instances, shims and edge go on, and the next one that is opened with the same folders
/// adopts them.
pub struct ProcessTarget {
    shared: Arc<Shared>,
    /// Whether nobody else uses the edge.
    owns_edge: bool,
}

impl ProcessTarget {
    /// Opens the target with an edge of its own, for all environments there are.
    pub async fn open(config: ProcessConfig) -> Result<Self, TargetError> {
        check(&config)?;
        let edge = HostEdge::start(&config).await?;
        let claims = Claims::new(&config.claims_folder());
        let mut target = Self::open_beside(config, edge.clone(), claims).await?;
        target.owns_edge = true;
        edge.attach_fallback(target.endpoints());
        Ok(target)
    }

    /// Opens the target beside others that use the same edge: adopts the instances that are there.
    pub async fn open_beside(
        config: ProcessConfig,
        edge: HostEdge,
        claims: Claims,
    ) -> Result<Self, TargetError> {
        check(&config)?;
        let store_folder = config.store_folder();
        let store = blocking(move || Store::open(&store_folder)).await?;
        let registry = Arc::new(Registry::new());
        let tasks = Tasks::default();
        adopt(&config, &registry, &tasks).await?;
        let shared = Arc::new(Shared { config, store: Arc::new(store), registry, claims, edge, tasks });
        shared.tasks.spawn(Arc::clone(&shared).relieve_orphans());
        let target = Self { shared, owns_edge: false };
        for environment in target.shared.registry.environments() {
            target.take_on(&environment);
        }
        Ok(target)
    }

    /// From now on this target tells the edge which instances of the environment take traffic.
    pub fn take_on(&self, environment: &EnvironmentName) {
        self.shared.edge.attach(environment, self.endpoints());
    }

    fn endpoints(&self) -> Arc<dyn EndpointSource> {
        Arc::clone(&self.shared.registry) as Arc<dyn EndpointSource>
    }

    /// The edge's control client, for its counters.
    pub fn edge(&self) -> EdgeClient {
        self.shared.edge.client().clone()
    }

    /// Stops all instances, then the edge. Releases, logs and ports are kept.
    pub async fn shutdown(&self) -> Result<(), TargetError> {
        let stopped = self.shared.stop_all(self.shared.registry.all()).await;
        self.shared.tasks.abort();
        let edge = self.shared.edge.stop().await;
        stopped.and(edge)
    }

    /// Removes all releases from the store but these and those that instances run; says which were removed.
    pub async fn prune(&self, keep: &[Digest]) -> Result<Vec<Digest>, TargetError> {
        let mut keep = keep.to_vec();
        keep.extend(self.shared.registry.digests());
        let store = Arc::clone(&self.shared.store);
        blocking(move || store.prune(&keep)).await
    }
}

fn check(config: &ProcessConfig) -> Result<(), TargetError> {
    config.check().map_err(|reason| TargetError::Failed { doing: "open the process target".into(), reason })
}

impl Drop for ProcessTarget {
    fn drop(&mut self) {
        // The tasks hold on to what they work with, so that neither would ever go by itself.
        self.shared.tasks.abort();
        if self.owns_edge {
            self.shared.edge.close();
        }
    }
}

fn image_unsupported(image: &ImageReference) -> TargetError {
    TargetError::Unsupported {
        what: format!("running the image {image} as processes"),
        mend: "give the service an `artifact`, or the environment a `target` that runs images".into(),
    }
}

#[async_trait]
impl Target for ProcessTarget {
    async fn capabilities(&self, _: &Workload) -> Result<Capabilities, TargetError> {
        Ok(Capabilities::EDGE)
    }

    async fn stage(&self, _: &Workload, source: &Source) -> Result<Staged, TargetError> {
        let path = match &source.artifact {
            Artifact::Path(path) => path.clone(),
            Artifact::Image(image) => return Err(image_unsupported(image)),
        };
        let store = Arc::clone(&self.shared.store);
        let digest = blocking(move || store.stage(&path)).await?;
        Ok(Staged { digest, objects: None })
    }

    async fn observe(&self, workload: &Workload) -> Result<Observation, TargetError> {
        self.shared.observe(workload).await
    }

    async fn ensure(
        &self,
        workload: &Workload,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        if let Some(image) = &release.instance.image {
            return Err(image_unsupported(image));
        }
        self.take_on(&workload.environment);
        self.shared.ensure(workload, release, replicas, fence).await
    }

    async fn check_route(&self, workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
        let (shared, workload, traffic) = (Arc::clone(&self.shared), workload.clone(), traffic.clone());
        blocking(move || shared.edge.check(&workload, &traffic)).await
    }

    async fn route(
        &self,
        workload: &Workload,
        traffic: &Traffic,
        fence: Fence,
    ) -> Result<Routed, TargetError> {
        let mut claim = self.shared.claims.claim(workload, fence).await?;
        self.shared.edge.route(&mut claim, traffic).await
    }

    async fn stats(&self, _: &Workload) -> Result<Option<EdgeStats>, TargetError> {
        self.shared.edge.stats().await.map(Some)
    }

    async fn retire(
        &self,
        workload: &Workload,
        version: &Version,
        keep: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        self.shared.retire(workload, version, keep, fence).await
    }

    async fn remove(&self, workload: &Workload, fence: Fence) -> Result<(), TargetError> {
        self.shared.remove(workload, fence).await
    }

    async fn refresh_secrets(&self, workload: &Workload) -> Result<Vec<RefreshedSecrets>, TargetError> {
        self.shared.refresh_secrets(workload).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shared.registry.subscribe()
    }

    async fn logs(&self, workload: &Workload, query: &LogQuery) -> Result<Vec<LogLine>, TargetError> {
        let (config, workload, query) = (self.shared.config.clone(), workload.clone(), query.clone());
        blocking(move || read_logs(&config, &workload, &query)).await
    }
}
