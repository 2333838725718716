//! The edge of the control plane's own machine, which reaches the pods at their own addresses.

use std::time::Duration;

use async_trait::async_trait;
use pilotage_proxy::EdgeStats;
use pilotage_spec::{Capabilities, Version, Workload};
use pilotage_targets::{Claims, Fence, HostEdge, Routed, TargetError, Traffic};

use super::TrafficRoute;
use crate::cluster::Cluster;
use crate::config::KubernetesConfig;

/// The tokens are in the cluster; here only the chosen port is remembered.
const NO_FENCE: Fence = Fence(0);

/// The way by the host's edge.
pub(super) struct HostRoute {
    edge: HostEdge,
    claims: Claims,
}

impl HostRoute {
    /// Chosen ports are remembered in the target's state folder.
    pub fn new(config: &KubernetesConfig) -> Result<Self, TargetError> {
        let folder = config.state_folder.join("ports");
        std::fs::create_dir_all(&folder).map_err(|error| TargetError::Failed {
            doing: format!("create {}", folder.display()),
            reason: error.to_string(),
        })?;
        Ok(Self { edge: config.host_edge.clone(), claims: Claims::new(&folder) })
    }
}

#[async_trait]
impl TrafficRoute for HostRoute {
    fn capabilities(&self) -> Capabilities {
        Capabilities::EDGE
    }

    async fn check(&self, _: &Cluster, workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
        let (edge, workload, traffic) = (self.edge.clone(), workload.clone(), traffic.clone());
        let checked = tokio::task::spawn_blocking(move || edge.check(&workload, &traffic)).await;
        checked.unwrap_or_else(|error| {
            Err(TargetError::Failed { doing: "check the traffic".to_owned(), reason: error.to_string() })
        })
    }

    async fn apply(
        &self,
        _: &Cluster,
        workload: &Workload,
        traffic: &Traffic,
    ) -> Result<Routed, TargetError> {
        let mut claim = self.claims.claim(workload, NO_FENCE).await?;
        self.edge.route(&mut claim, traffic).await
    }

    async fn read(&self, _: &Cluster, workload: &Workload) -> Result<Option<Traffic>, TargetError> {
        Ok(self.edge.current(workload))
    }

    async fn remove(&self, _: &Cluster, workload: &Workload) -> Result<(), TargetError> {
        self.edge.end(workload).await
    }

    async fn drain(
        &self,
        _: &Cluster,
        workload: &Workload,
        version: &Version,
        limit: Duration,
    ) -> Result<(), TargetError> {
        self.edge.drain(workload, version, None, limit).await
    }

    async fn stats(&self, _: &Cluster, _: &Workload) -> Result<Option<EdgeStats>, TargetError> {
        self.edge.stats().await.map(Some)
    }
}
