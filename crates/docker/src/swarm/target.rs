//! A Docker Swarm, by one of its managers.

use std::sync::Arc;

use async_trait::async_trait;
use bollard::query_parameters::LogsOptions;
use pilotage_proxy::EdgeStats;
use pilotage_spec::{Capabilities, Release, Version, Workload};
use pilotage_targets::{
    Artifact, EndpointSource, Fence, LogLine, LogQuery, Observation, RefreshedSecrets, Routed, Source,
    Staged, Target, TargetError, Traffic,
};
use tokio::sync::watch;

use super::poll;
use super::shared::Shared;
use crate::clock::now;
use crate::config::DockerConfig;
use crate::image::no_image;
use crate::target::check_route;
use crate::watch::task_lines;

/// Runs instances as tasks of a swarm, behind the edge of this machine: a service for each version.
///
/// Dropping it stops nothing. The next one that is opened for the same environment finds the services by their labels.
pub struct SwarmTarget {
    shared: Arc<Shared>,
}

impl SwarmTarget {
    /// Opens the target. The manager may be away: it is watched from now on, and waited for.
    pub fn open(config: DockerConfig) -> Result<Self, TargetError> {
        let shared = Arc::new(Shared::new(config)?);
        let source = Arc::clone(&shared.board) as Arc<dyn EndpointSource>;
        shared.config.edge.attach(&shared.config.environment, source);
        shared.tasks.spawn(poll::watch(Arc::clone(&shared)));
        Ok(Self { shared })
    }
}

impl Drop for SwarmTarget {
    fn drop(&mut self) {
        // The tasks hold on to what they work with, so that neither would ever go by itself.
        self.shared.tasks.abort();
        self.shared.probe(Vec::new());
    }
}

#[async_trait]
impl Target for SwarmTarget {
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
        self.shared.look().await?;
        let instances = self.shared.board.instances(workload);
        Ok(Observation { at: now(), instances, traffic: self.shared.config.edge.current(workload) })
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

    /// Secrets of Swarm cannot be changed: a version goes on with those it began with.
    async fn refresh_secrets(&self, _: &Workload) -> Result<Vec<RefreshedSecrets>, TargetError> {
        Ok(Vec::new())
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shared.board.subscribe()
    }

    async fn logs(&self, workload: &Workload, query: &LogQuery) -> Result<Vec<LogLine>, TargetError> {
        self.shared.look().await?;
        let mut found = Vec::new();
        for run in self.shared.board.runs(workload) {
            let version = run.marks.release.id.version.clone();
            if query.version.as_ref().is_some_and(|wanted| *wanted != version) {
                continue;
            }
            let options = LogsOptions { tail: query.lines.to_string(), ..LogsOptions::default() };
            let (engine, known) = (&self.shared.engine, self.shared.config.secrets.known());
            let lines = task_lines(engine, known, &run.id, options).await;
            let lines = lines.map_err(|fault| engine.refused("read the log of a task", fault))?;
            let newer = lines.into_iter().filter(|line| query.after.is_none_or(|after| line.at > after));
            found.extend(newer.map(|line| LogLine {
                at: line.at,
                instance: run.instance(),
                version: version.clone(),
                stderr: line.stderr,
                text: line.text,
            }));
        }
        found.sort_by(|a, b| (a.at, &a.instance).cmp(&(b.at, &b.instance)));
        let surplus = found.len().saturating_sub(query.lines);
        found.drain(..surplus);
        Ok(found)
    }
}
