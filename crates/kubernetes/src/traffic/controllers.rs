//! Rollouts of controllers that a team stays on, for whoever shows them and gives them orders.

use pilotage_spec::Workload;
use pilotage_targets::TargetError;

use super::argo_rollouts::{self, RolloutOrder, RolloutState};
use super::flagger::{self, CanaryOrder, CanaryState};
use super::kind::{CANARY, ROLLOUT};
use super::objects::Objects;
use crate::client::Connection;
use crate::config::KubernetesConfig;

/// The rollouts of Argo Rollouts and Flagger in one environment, found by the service's name.
pub struct RolloutControllers {
    connection: Connection,
}

impl RolloutControllers {
    /// Those of an environment. Nothing is connected before something is asked.
    pub fn new(config: &KubernetesConfig) -> Self {
        Self { connection: Connection::new(config) }
    }

    /// How the workload's Rollout is; `None` if there is none.
    ///
    /// # Errors
    /// Fails when the cluster cannot be asked.
    pub async fn rollout(&self, workload: &Workload) -> Result<Option<RolloutState>, TargetError> {
        let cluster = self.connection.cluster().await?;
        let Some(objects) = Objects::find(&cluster, &ROLLOUT).await? else { return Ok(None) };
        let rollout = objects.get(cluster.names(workload).service()).await?;
        Ok(rollout.as_ref().map(RolloutState::of))
    }

    /// Gives an order to the workload's Rollout, and says how it is after it.
    ///
    /// # Errors
    /// Fails when there is none, or the cluster does not take the order.
    pub async fn order_rollout(
        &self,
        workload: &Workload,
        order: RolloutOrder,
    ) -> Result<RolloutState, TargetError> {
        let cluster = self.connection.cluster().await?;
        argo_rollouts::drive(&cluster, cluster.names(workload).service(), order).await
    }

    /// How the workload's Canary is; `None` if there is none.
    ///
    /// # Errors
    /// Fails when the cluster cannot be asked.
    pub async fn canary(&self, workload: &Workload) -> Result<Option<CanaryState>, TargetError> {
        let cluster = self.connection.cluster().await?;
        let Some(objects) = Objects::find(&cluster, &CANARY).await? else { return Ok(None) };
        let canary = objects.get(cluster.names(workload).service()).await?;
        Ok(canary.as_ref().map(CanaryState::of))
    }

    /// Gives an order to the workload's Canary, and says how it is after it.
    ///
    /// # Errors
    /// Fails when there is none, when it cannot follow the order as it is, or when the cluster does not take it.
    pub async fn order_canary(
        &self,
        workload: &Workload,
        order: &CanaryOrder,
    ) -> Result<CanaryState, TargetError> {
        let cluster = self.connection.cluster().await?;
        flagger::drive(&cluster, cluster.names(workload).service(), order).await
    }
}
