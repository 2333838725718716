//! Says what is there.

use std::sync::Arc;
use std::time::Duration;

use pilotage_spec::Workload;
use tokio::task::JoinSet;

use super::files::now;
use super::held::Held;
use super::shared::Shared;
use super::shim::ShimClient;
use crate::{Instance, InstanceState, Observation, TargetError};

/// A shim has nothing to wait for; one that takes longer is stuck, or the machine is.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

impl Shared {
    /// See [`crate::Target::observe`]. All shims are asked at once.
    pub async fn observe(self: &Arc<Self>, workload: &Workload) -> Result<Observation, TargetError> {
        let mut asked = JoinSet::new();
        for (index, held) in self.registry.of(workload).into_iter().enumerate() {
            let shared = Arc::clone(self);
            asked.spawn(async move { (index, shared.ask(&held).await) });
        }
        let mut instances = Vec::new();
        while let Some(answered) = asked.join_next().await {
            let (index, instance) = answered.map_err(|error| TargetError::Failed {
                doing: format!("observe {workload}"),
                reason: error.to_string(),
            })?;
            instances.extend(instance.map(|instance| (index, instance)));
        }
        instances.sort_by_key(|(index, _)| *index);
        let traffic = self.traffic.current(workload);
        Ok(Observation {
            at: now(),
            instances: instances.into_iter().map(|(_, instance)| instance).collect(),
            listen: traffic.as_ref().map(|traffic| traffic.listen),
            shares: traffic.map(|traffic| traffic.shares.into_iter().collect()).unwrap_or_default(),
        })
    }

    /// One instance as it is now; `None` if it has been stopped.
    async fn ask(&self, held: &Held) -> Option<Instance> {
        if held.orphan().is_some() {
            return Some(held.observed());
        }
        match ShimClient::status(&held.socket, ANSWER_WITHIN).await {
            Ok(status) => {
                if held.update(status) {
                    self.registry.announce();
                }
                Some(held.observed())
            }
            Err(_) if held.records().has_ended() => None,
            Err(_) => Some(Instance { state: InstanceState::Lost, ..held.observed() }),
        }
    }
}
