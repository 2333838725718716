//! How requests find their version in a cluster: one file a way, all behind [`TrafficRoute`].

mod argo_rollouts;
mod choose;
mod controllers;
mod edge;
mod flagger;
mod gateway;
mod handed_over;
mod holder;
mod host;
mod istio;
mod kind;
mod live;
mod matcher;
mod nginx;
mod object_route;
mod objects;
mod pod_template;
mod provider;
mod refusal;
mod rules;
mod scene;
mod service;
mod services;
mod shares;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod traefik;

use std::time::Duration;

use async_trait::async_trait;
use pilotage_proxy::EdgeStats;
use pilotage_spec::{Capabilities, KubernetesTraffic, Version, Workload};
use pilotage_targets::{Routed, TargetError, Traffic};

use crate::cluster::Cluster;
use crate::config::KubernetesConfig;

pub use argo_rollouts::{RolloutOrder, RolloutPhase, RolloutRequest, RolloutState, WorkloadReference};
pub(crate) use controllers::RolloutControllers;
pub use flagger::{CanaryOrder, CanaryPhase, CanaryRequest, CanaryState};
pub use handed_over::HandedOver;
pub(crate) use service::selector_of;

/// One way to share the requests of a workload among its versions.
#[async_trait]
pub(crate) trait TrafficRoute: Send + Sync {
    /// What can be asked for.
    fn capabilities(&self) -> Capabilities;

    /// Refuses what cannot be done (missing CRD, missing parent, foreign owner), changes nothing.
    async fn check(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<(), TargetError>;

    /// Creates or patches; returns when it is in force as far as can be known (status conditions with observedGeneration; edge:
    /// every pod reports the epoch).
    async fn apply(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<Routed, TargetError>;

    /// What the live objects say: somebody may have changed them. `None`: not served.
    async fn read(&self, cluster: &Cluster, workload: &Workload) -> Result<Option<Traffic>, TargetError>;

    /// Serves it no longer.
    async fn remove(&self, cluster: &Cluster, workload: &Workload) -> Result<(), TargetError>;

    /// Waits until no request is in flight to a version without a share, at most `limit`.
    async fn drain(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        version: &Version,
        limit: Duration,
    ) -> Result<(), TargetError>;

    /// What was counted, where something counts.
    async fn stats(
        &self,
        _cluster: &Cluster,
        _workload: &Workload,
    ) -> Result<Option<EdgeStats>, TargetError> {
        Ok(None)
    }
}

/// The way that the settings of a target choose.
pub(crate) fn of(config: &KubernetesConfig) -> Result<Box<dyn TrafficRoute>, TargetError> {
    match &config.settings.traffic {
        KubernetesTraffic::Service => Ok(Box::new(service::ServiceSwitch::default())),
        KubernetesTraffic::Host => Ok(Box::new(host::HostRoute::new(config)?)),
        KubernetesTraffic::Edge => Ok(Box::new(edge::EdgeRoute::new(&config.settings))),
        other => choose::by_others(other).ok_or_else(|| TargetError::Unsupported {
            what: format!("traffic by {}", other.name()),
            mend: "choose `traffic: service`, `traffic: host` or `traffic: edge`".to_owned(),
        }),
    }
}
