//! Says what is there.

use std::sync::Arc;
use std::time::Duration;

use pilotage_spec::Workload;
use tokio::time::{Instant, sleep};

use super::files::now;
use super::held::Held;
use super::monitor::mark_lost;
use super::shared::Shared;
use super::shim::ShimClient;
use crate::{Instance, InstanceState, Observation, TargetError};

/// A shim has nothing to wait for; one that takes longer is stuck, or the machine is.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

impl Shared {
    /// See [`crate::Target::observe`]. All shims are asked at once.
    pub async fn observe(self: &Arc<Self>, workload: &Workload) -> Result<Observation, TargetError> {
        let instances = self.ask_all(self.registry.of(workload)).await;
        Ok(Observation { at: now(), instances, traffic: self.edge.current(workload) })
    }

    /// Those of the instances that have not been stopped, in the same order.
    pub(super) async fn ask_all(self: &Arc<Self>, instances: Vec<Arc<Held>>) -> Vec<Instance> {
        let asked: Vec<_> = instances
            .into_iter()
            .map(|held| {
                let shared = Arc::clone(self);
                tokio::spawn(async move { shared.ask(&held).await })
            })
            .collect();
        let mut answers = Vec::new();
        for answer in asked {
            answers.extend(answer.await.ok().flatten());
        }
        answers
    }

    /// One instance as it is now; `None` if it has been stopped.
    async fn ask(&self, held: &Held) -> Option<Instance> {
        let deadline = Instant::now() + ANSWER_WITHIN;
        while held.orphan().is_none() {
            match ShimClient::status(&held.socket, ANSWER_WITHIN).await {
                Ok(status) => {
                    if held.update(status) {
                        self.registry.announce();
                    }
                    break;
                }
                Err(_) if held.records().has_ended() => return None,
                Err(_) if !held.status().shim.is_alive() => {
                    // It may have written its record as the last thing it did.
                    if held.records().has_ended() {
                        return None;
                    }
                    mark_lost(held, &self.registry);
                }
                Err(_) if Instant::now() > deadline => {
                    return Some(Instance { state: InstanceState::Lost, ..held.observed() });
                }
                // A process that is about to be gone is neither.
                Err(_) => sleep(Duration::from_millis(10)).await,
            }
        }
        Some(held.observed())
    }
}
