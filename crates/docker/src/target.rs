//! A Docker Engine, or podman.

use std::sync::Arc;

use async_trait::async_trait;
use pilotage_proxy::EdgeStats;
use pilotage_spec::{Capabilities, Digest, EnvironmentName, Release, Version, Workload};
use pilotage_targets::{
    Artifact, EndpointSource, Fence, LogLine, LogQuery, Observation, RefreshedSecrets, Routed, Source,
    Staged, Target, TargetError, Traffic,
};
use tokio::sync::watch;

use crate::config::DockerConfig;
use crate::image::no_image;
use crate::shared::Shared;
use crate::watch::watch;

/// Runs instances as containers of one engine, behind the edge of this machine.
///
/// Dropping it stops nothing: the containers go on, and are started again by their engine when they end. The next one that
/// is opened for the same environment finds them by their labels.
pub struct DockerTarget {
    shared: Arc<Shared>,
}

impl DockerTarget {
    /// Opens the target. The engine may be away: it is watched from now on, and waited for.
    pub fn open(config: DockerConfig) -> Result<Self, TargetError> {
        let shared = Arc::new(Shared::new(config)?);
        let source = Arc::clone(&shared.registry) as Arc<dyn EndpointSource>;
        shared.config.edge.attach(&shared.config.environment, source);
        shared.tasks.spawn(watch(Arc::clone(&shared)));
        Ok(Self { shared })
    }
}

impl Drop for DockerTarget {
    fn drop(&mut self) {
        // The tasks hold on to what they work with, so that neither would ever go by itself.
        self.shared.tasks.abort();
    }
}

#[async_trait]
impl Target for DockerTarget {
    async fn capabilities(&self, _: &Workload) -> Result<Capabilities, TargetError> {
        Ok(Capabilities::EDGE)
    }

    async fn stage(&self, _: &Workload, source: &Source) -> Result<Staged, TargetError> {
        match &source.artifact {
            Artifact::Image(image) => {
                Ok(Staged { digest: self.shared.images.stage(image).await?, objects: None })
            }
            Artifact::Path(_) => Err(no_image()),
        }
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
        // What was begun is brought to its end even if nobody waits for it any more.
        let (shared, workload, release) = (Arc::clone(&self.shared), workload.clone(), release.clone());
        let ensured =
            tokio::spawn(async move { shared.ensure(&workload, &release, replicas, fence).await }).await;
        ensured.unwrap_or_else(|error| {
            Err(TargetError::Failed { doing: "start a container".to_owned(), reason: error.to_string() })
        })
    }

    async fn check_route(&self, workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
        check_route(&self.shared.config, workload, traffic).await
    }

    async fn route(
        &self,
        workload: &Workload,
        traffic: &Traffic,
        fence: Fence,
    ) -> Result<Routed, TargetError> {
        let mut claim = self.shared.config.claims.claim(workload, fence).await?;
        self.shared.config.edge.route(&mut claim, traffic).await
    }

    async fn stats(&self, _: &Workload) -> Result<Option<EdgeStats>, TargetError> {
        self.shared.config.edge.stats().await.map(Some)
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

    async fn prune_images(&self, _: &EnvironmentName, keep: &[Digest]) -> Result<Vec<Digest>, TargetError> {
        self.shared.prune(keep).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shared.registry.subscribe()
    }

    async fn logs(&self, workload: &Workload, query: &LogQuery) -> Result<Vec<LogLine>, TargetError> {
        self.shared.logs(workload, query).await
    }
}

/// Asks the edge, which looks at files and ports.
pub(crate) async fn check_route(
    config: &DockerConfig,
    workload: &Workload,
    traffic: &Traffic,
) -> Result<(), TargetError> {
    let (edge, workload, traffic) = (config.edge.clone(), workload.clone(), traffic.clone());
    let checked = tokio::task::spawn_blocking(move || edge.check(&workload, &traffic)).await;
    checked.unwrap_or_else(|error| {
        Err(TargetError::Failed { doing: "look at files and ports".to_owned(), reason: error.to_string() })
    })
}
