//! Takes instances down.

use std::sync::Arc;

use futures_util::future::join_all;
use pilotage_proxy::Address;
use pilotage_spec::{Version, Workload};
use pilotage_targets::{Claim, Fence, TargetError};

use crate::instance::Readiness;
use crate::network::remove_unused;
use crate::shared::Shared;
use crate::watch::{Held, Registry};

/// No holder is newer than this one: what it takes down is not taken back.
const IRREVOCABLE: Fence = Fence(u64::MAX);

impl Shared {
    /// See [`pilotage_targets::Target::retire`].
    pub async fn retire(
        self: &Arc<Self>,
        workload: &Workload,
        version: &Version,
        keep: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let claim = self.config.claims.claim(workload, fence).await?;
        let mut found = self.look(Some(workload)).await?;
        found.retain(|held| held.container().marks.release.id.version == *version);
        let leaving = choose(found, keep as usize);
        self.take_down(claim, leaving, fence).await?;
        self.forget_oldest(workload).await;
        Ok(())
    }

    /// See [`pilotage_targets::Target::remove`].
    pub async fn remove(self: &Arc<Self>, workload: &Workload, fence: Fence) -> Result<(), TargetError> {
        let claim = self.config.claims.claim(workload, fence).await?;
        self.config.edge.end(workload).await?;
        let found = self.look(Some(workload)).await?;
        let running = found.into_iter().filter(|held| held.state().is_some()).collect();
        self.take_down(claim, running, fence).await?;
        let claim = self.config.claims.claim(workload, fence).await?;
        let removed = self.look(Some(workload)).await?;
        let removed = join_all(removed.iter().map(|held| self.remove_container(held))).await;
        drop(claim);
        removed.into_iter().collect::<Result<(), _>>()?;
        if self.network_is_ours {
            remove_unused(&self.engine, &self.scope, &self.network).await?;
        }
        Ok(())
    }

    /// Takes instances out of the traffic, waits for their requests in flight, and stops them.
    async fn take_down(
        self: &Arc<Self>,
        claim: Claim,
        instances: Vec<Arc<Held>>,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let workload = claim.record.workload.clone();
        let leaving = Leaving { instances, registry: Arc::clone(&self.registry) };
        leaving.mark(Some(fence));
        // The waits may be long, and a rollback by another holder must not wait for them.
        drop(claim);
        let drains =
            leaving.instances.iter().filter(|held| may_have_requests(held)).map(|held| self.drain(held));
        join_all(drains).await.into_iter().collect::<Result<(), _>>()?;
        // Somebody may have taken over meanwhile, and want to keep them.
        let claim = self.config.claims.claim(&workload, fence).await?;
        leaving.mark(Some(IRREVOCABLE));
        drop(claim);
        let stops = join_all(leaving.instances.iter().map(|held| self.retire_container(held))).await;
        stops.into_iter().collect()
    }

    async fn drain(&self, held: &Held) -> Result<(), TargetError> {
        let container = held.container();
        let release = &container.marks.release;
        let address = container.address.map(Address::Tcp);
        let limit = release.instance.stop_grace;
        self.config.edge.drain(&container.marks.workload, &release.id.version, address, limit).await
    }
}

/// Instances that get no traffic because they are about to be stopped. Whatever is not stopped in the end, because the call
/// failed or was given up, gets traffic again.
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
        self.instances.retain(|held| !held.container().is_retired());
        self.mark(None);
    }
}

/// Instances that were never ready have no requests.
fn may_have_requests(held: &Held) -> bool {
    !matches!(held.seen().readiness, Readiness::NotYet) && held.container().may_run()
}

/// Those that are not kept: first those that take no traffic, then the newest.
fn choose(mut instances: Vec<Arc<Held>>, keep: usize) -> Vec<Arc<Held>> {
    instances.retain(|held| held.state().is_some());
    instances
        .sort_by_key(|held| (held.endpoint().is_some(), std::cmp::Reverse(held.container().marks.number)));
    let count = instances.len().saturating_sub(keep);
    instances.truncate(count);
    instances
}
