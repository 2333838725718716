//! The Kubernetes target.

use std::sync::Arc;

use async_trait::async_trait;
use pilotage_proxy::EdgeStats;
use pilotage_spec::{
    Capabilities, ControllerOrder, EnvironmentName, KubernetesTraffic, Release, Version, Workload,
};
use pilotage_targets::{
    ControllerRollout, Fence, Inspection, LogLine, LogQuery, Observation, RefreshedSecrets, Routed, Source,
    Staged, Target, TargetError, Traffic,
};
use tokio::sync::watch;

use crate::act::record::claim;
use crate::act::{Actor, now};
use crate::client::Connection;
use crate::config::KubernetesConfig;
use crate::observe::{Observer, Watches};
use crate::preflight;
use crate::render::{Programs, Renderer};
use crate::traffic::{self, RolloutControllers};

/// Runs instances as pods in one namespace of a cluster.
///
/// Dropping it stops nothing. Nothing that has to be remembered is on this machine but what the host's edge keeps: whoever opens it
/// again, from wherever, finds everything in the cluster.
pub struct KubernetesTarget {
    actor: Actor,
}

impl KubernetesTarget {
    /// Opens the target of an environment. The cluster is reached when something is asked of it.
    pub fn open(config: KubernetesConfig) -> Result<Self, TargetError> {
        let renders = config.state_folder.join("renders");
        let renderer = Renderer::open(&config.project_folder, &renders, Programs::installed())?;
        let connection = Arc::new(Connection::new(&config));
        let route = traffic::of(&config)?;
        let watches = Watches::start(Arc::clone(&connection));
        if config.settings.traffic == KubernetesTraffic::Host {
            config.host_edge.attach(&config.environment, watches.source());
        }
        let actor = Actor {
            connection,
            renderer,
            route,
            watches,
            settings: config.settings,
            secrets: config.secrets,
            observer: Observer::default(),
            ensured: crate::act::Ensured::default(),
        };
        Ok(Self { actor })
    }

    fn controllers(&self) -> RolloutControllers<'_> {
        RolloutControllers { connection: &self.actor.connection, traffic: &self.actor.settings.traffic }
    }
}

#[async_trait]
impl Target for KubernetesTarget {
    async fn capabilities(&self, _: &Workload) -> Result<Capabilities, TargetError> {
        Ok(self.actor.route.capabilities())
    }

    async fn stage(&self, workload: &Workload, source: &Source) -> Result<Staged, TargetError> {
        self.actor.stage(workload, source).await
    }

    async fn observe(&self, workload: &Workload) -> Result<Observation, TargetError> {
        let cluster = self.actor.cluster().await?;
        let at = now();
        let (instances, traffic) = tokio::try_join!(
            self.actor.observer.instances(&cluster, workload, at),
            self.actor.route.read(&cluster, workload),
        )?;
        Ok(Observation { at, instances, traffic })
    }

    async fn ensure(
        &self,
        workload: &Workload,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        self.actor.ensure(workload, release, replicas, fence).await
    }

    async fn check_route(&self, workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
        let cluster = self.actor.cluster().await?;
        let needs = preflight::needs(cluster.namespace(), &self.actor.settings.traffic, &[]);
        preflight::missing(&cluster, &needs).await?.refuse()?;
        self.actor.route.check(&cluster, workload, traffic).await
    }

    async fn route(
        &self,
        workload: &Workload,
        traffic: &Traffic,
        fence: Fence,
    ) -> Result<Routed, TargetError> {
        let cluster = self.actor.cluster().await?;
        claim(&cluster, workload, fence).await?;
        self.actor.route.apply(&cluster, workload, traffic).await
    }

    async fn stats(&self, workload: &Workload) -> Result<Option<EdgeStats>, TargetError> {
        let cluster = self.actor.cluster().await?;
        self.actor.route.stats(&cluster, workload).await
    }

    async fn retire(
        &self,
        workload: &Workload,
        version: &Version,
        keep: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        self.actor.retire(workload, version, keep, fence).await
    }

    async fn remove(&self, workload: &Workload, fence: Fence) -> Result<(), TargetError> {
        self.actor.remove(workload, fence).await
    }

    async fn refresh_secrets(&self, workload: &Workload) -> Result<Vec<RefreshedSecrets>, TargetError> {
        self.actor.refresh_secrets(workload).await
    }

    async fn inspect(&self, _: &EnvironmentName) -> Inspection {
        preflight::inspect(&self.actor.connection, &self.actor.settings.traffic).await
    }

    async fn controller_rollout(&self, workload: &Workload) -> Result<ControllerRollout, TargetError> {
        self.controllers().show(workload).await
    }

    async fn order_rollout(
        &self,
        workload: &Workload,
        order: ControllerOrder,
    ) -> Result<ControllerRollout, TargetError> {
        self.controllers().order(workload, order, now()).await
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.actor.watches.subscribe()
    }

    async fn logs(&self, workload: &Workload, query: &LogQuery) -> Result<Vec<LogLine>, TargetError> {
        self.actor.logs(workload, query).await
    }
}
