//! Takes instances down.

use std::sync::Arc;

use pilotage_spec::{Version, Workload};
use tokio::task::JoinSet;

use super::held::Held;
use super::registry::Registry;
use super::shared::{Shared, interrupted};
use crate::claims::Claim;
use crate::{Fence, InstanceState, TargetError};

/// No holder is newer than this one: what it takes down is not taken back.
pub const IRREVOCABLE: Fence = Fence(u64::MAX);

impl Shared {
    /// See [`crate::Target::retire`].
    pub async fn retire(
        self: &Arc<Self>,
        workload: &Workload,
        version: &Version,
        keep: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let claim = self.claims.claim(workload, fence).await?;
        let instances = choose(self.registry.of_version(workload, version), keep as usize);
        self.take_down(claim, instances, workload, fence).await
    }

    /// See [`crate::Target::remove`].
    pub async fn remove(self: &Arc<Self>, workload: &Workload, fence: Fence) -> Result<(), TargetError> {
        let claim = self.claims.claim(workload, fence).await?;
        self.edge.end(workload).await?;
        let instances = self.registry.of(workload);
        self.take_down(claim, instances, workload, fence).await
    }

    /// Takes instances out of the traffic, waits for their requests in flight, and stops them.
    async fn take_down(
        self: &Arc<Self>,
        claim: Claim,
        instances: Vec<Arc<Held>>,
        workload: &Workload,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let leaving = Leaving { instances, registry: Arc::clone(&self.registry) };
        leaving.mark(Some(fence));
        // The waits may be long, and a rollback by another holder must not wait for them.
        drop(claim);
        self.drain_all(&leaving.instances).await?;
        // Somebody may have taken over meanwhile, and want to keep them.
        let claim = self.claims.claim(workload, fence).await?;
        leaving.mark(Some(IRREVOCABLE));
        drop(claim);
        self.stop_all(leaving.instances.clone()).await
    }

    /// Waits until none of them has a request in flight. Instances that were never ready have none.
    async fn drain_all(self: &Arc<Self>, leaving: &[Arc<Held>]) -> Result<(), TargetError> {
        let mut drains = JoinSet::new();
        for held in leaving.iter().filter(|held| may_have_requests(held)) {
            let (shared, held) = (Arc::clone(self), Arc::clone(held));
            drains.spawn(async move {
                let limit = held.record.release.instance.stop_grace;
                shared.drain(&held, limit).await
            });
        }
        let mut result = Ok(());
        while let Some(drained) = drains.join_next().await {
            result = result.and(drained.unwrap_or_else(|error| interrupted("drain an instance", &error)));
        }
        result
    }
}

/// Instances that get no traffic because they are about to be stopped. Whatever is not stopped in the end, because the
/// call failed or was given up, gets traffic again.
struct Leaving {
    instances: Vec<Arc<Held>>,
    registry: Arc<Registry>,
}

impl Leaving {
    fn mark(&self, by: Option<Fence>) {
        for held in &self.instances {
            held.drain(by);
        }
        // Without an instance there is no news; whoever retires at every piece of news would never come to rest.
        if !self.instances.is_empty() {
            self.registry.announce();
        }
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.instances.retain(|held| self.registry.get(&held.record.name).is_some());
        self.mark(None);
    }
}

fn may_have_requests(held: &Held) -> bool {
    matches!(held.status().state, InstanceState::Ready | InstanceState::Unready)
}

/// Those that are not kept: first those that take no traffic, then the newest.
fn choose(mut instances: Vec<Arc<Held>>, keep: usize) -> Vec<Arc<Held>> {
    instances.sort_by_key(|held| (held.serving().is_some(), std::cmp::Reverse(held.record.number)));
    let count = instances.len().saturating_sub(keep);
    instances.truncate(count);
    instances
}
