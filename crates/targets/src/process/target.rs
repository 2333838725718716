//! The process target.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use pilotage_proxy::EdgeClient;
use pilotage_spec::{Digest, Release, Version, Workload};
use tokio::sync::watch;

use super::adopt::adopt;
use super::config::ProcessConfig;
use super::logs::read_logs;
use super::registry::Registry;
use super::shared::{Shared, blocking};
use super::store::Store;
use super::tasks::Tasks;
use super::traffic::{EdgeProcess, TrafficControl, with_port};
use super::workloads::Workloads;
use crate::{Fence, LogLine, LogQuery, Observation, RefreshedSecrets, Routed, Target, TargetError, Traffic};

/// Runs instances as processes on this machine, behind an edge of its own.
///
/// Dropping it stops nothing: instances, shims and edge go on, and the next one that is opened with the same folders
/// adopts them.
pub struct ProcessTarget {
    shared: Arc<Shared>,
}

impl ProcessTarget {
    /// Opens the target: creates its folders, adopts the instances that are there, and starts the edge if none runs.
    pub async fn open(config: ProcessConfig) -> Result<Self, TargetError> {
        config
            .check()
            .map_err(|reason| TargetError::Failed { doing: "open the process target".into(), reason })?;
        Shared::create_folders(&config)?;
        let store_folder = config.store_folder();
        let store = blocking(move || Store::open(&store_folder)).await?;
        let registry = Arc::new(Registry::new());
        let tasks = Tasks::default();
        // Before the traffic is taken over: a table must never be made while only some instances are known.
        adopt(&config, &registry, &tasks).await?;
        let edge = EdgeProcess::new(config.clone());
        let traffic = TrafficControl::start(edge, Arc::clone(&registry), &tasks).await?;
        let workloads = Workloads::default();
        let shared = Arc::new(Shared { config, store: Arc::new(store), registry, workloads, traffic, tasks });
        shared.tasks.spawn(Arc::clone(&shared).relieve_orphans());
        Ok(Self { shared })
    }

    /// The edge's control client, for its counters.
    pub fn edge(&self) -> EdgeClient {
        self.shared.traffic.edge().clone()
    }

    /// Stops all instances, then the edge. Releases, logs and ports are kept.
    pub async fn shutdown(&self) -> Result<(), TargetError> {
        let stopped = self.shared.stop_all(self.shared.registry.all()).await;
        self.shared.tasks.abort();
        let edge = EdgeProcess::new(self.shared.config.clone()).stop().await;
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

impl Drop for ProcessTarget {
    fn drop(&mut self) {
        // The tasks hold on to what they work with, so that neither would ever go by itself.
        self.shared.tasks.abort();
    }
}

#[async_trait]
impl Target for ProcessTarget {
    async fn stage(&self, source: &Path) -> Result<Digest, TargetError> {
        let (store, source) = (Arc::clone(&self.shared.store), source.to_owned());
        blocking(move || store.stage(&source)).await
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
        self.shared.ensure(workload, release, replicas, fence).await
    }

    async fn check_route(&self, workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
        let (shared, workload, traffic) = (Arc::clone(&self.shared), workload.clone(), traffic.clone());
        blocking(move || shared.traffic.check(&workload, &traffic)).await
    }

    async fn route(
        &self,
        workload: &Workload,
        traffic: &Traffic,
        fence: Fence,
    ) -> Result<Routed, TargetError> {
        let mut claim = self.shared.workloads.claim(&self.shared.config, workload, fence).await?;
        let served = self.shared.traffic.current(workload).map(|served| served.listen);
        let listen = with_port(traffic.listen, claim.record.listen, served)?;
        let traffic = Traffic { listen, ..traffic.clone() };
        let epoch = self.shared.traffic.set(workload, Some(traffic)).await?;
        if claim.record.listen != Some(listen) {
            claim.record.listen = Some(listen);
            claim.save()?;
        }
        Ok(Routed { listen, epoch })
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
