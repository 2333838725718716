//! Brings instances up.

use std::sync::Arc;

use futures_util::future::join_all;
use pilotage_spec::{Release, Workload};
use pilotage_targets::{Claim, Fence, InstanceState, TargetError};

use crate::image::surplus;
use crate::instance::{Marks, Phase};
use crate::network::{WantedNetwork, provide};
use crate::shared::Shared;
use crate::watch::Held;

/// So many failed instances of a release are kept to be looked at; each further attempt takes the place of the oldest.
const FAILED_KEPT: usize = 3;

impl Shared {
    /// See [`pilotage_targets::Target::ensure`].
    pub async fn ensure(
        self: &Arc<Self>,
        workload: &Workload,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let mut claim = self.config.claims.claim(workload, fence).await?;
        self.take_back(workload, fence);
        let found = self.look(Some(workload)).await?;
        let own = self.without_leftovers(of_release(found, release)).await?;
        let kept_up = own.iter().filter(|held| is_kept_up(held)).count();
        let missing = (replicas as usize).saturating_sub(kept_up);
        if missing == 0 {
            return Ok(());
        }
        self.start_more(&mut claim, release, missing as u64).await?;
        self.discard_failed(workload, release).await;
        self.forget_oldest(workload).await;
        Ok(())
    }

    async fn start_more(
        self: &Arc<Self>,
        claim: &mut Claim,
        release: &Release,
        missing: u64,
    ) -> Result<(), TargetError> {
        let _held = self.images.hold().await;
        let image = self.images.of_release(release).await?;
        let network = WantedNetwork {
            scope: &self.scope,
            name: &self.network,
            is_ours: self.network_is_ours,
            driver: "bridge",
        };
        provide(&self.engine, &network).await?;
        let workload = claim.record.workload.clone();
        let starts = claim.take_numbers(missing)?.map(|number| {
            let instance = self.scope.instance(&workload, &release.id.version, number);
            let marks = Marks { instance, number, workload: workload.clone(), release: release.clone() };
            self.start(marks, &image)
        });
        join_all(starts).await.into_iter().collect()
    }

    /// A new holder keeps what the holder before wanted to stop and has not stopped yet.
    fn take_back(&self, workload: &Workload, fence: Fence) {
        for held in self.registry.of(workload) {
            if held.seen().draining.is_some_and(|by| by < fence) {
                held.drain(None);
                self.registry.announce();
            }
        }
    }

    /// Containers that were created and never started: whoever was about to start them has died. Nobody else creates any
    /// while the workload is claimed.
    async fn without_leftovers(&self, own: Vec<Arc<Held>>) -> Result<Vec<Arc<Held>>, TargetError> {
        let is_leftover = |held: &Arc<Held>| {
            let container = held.container();
            container.phase == Phase::Created && container.is_kept_up && held.seen().given_up.is_none()
        };
        let (leftovers, own): (Vec<_>, Vec<_>) = own.into_iter().partition(is_leftover);
        for held in leftovers {
            self.remove_container(&held).await?;
        }
        Ok(own)
    }

    /// A release that fails again and again must not fill the engine with its remains.
    async fn discard_failed(&self, workload: &Workload, release: &Release) {
        let mut failed = of_release(self.registry.of(workload), release);
        failed.retain(|held| matches!(held.state(), Some(InstanceState::Failed { .. })));
        let count = failed.len().saturating_sub(FAILED_KEPT);
        for held in failed.into_iter().take(count) {
            self.discard(&held).await;
        }
    }

    /// Removes the containers that were stopped longest ago.
    pub async fn forget_oldest(&self, workload: &Workload) {
        let held = self.registry.of(workload);
        let stopped = held.iter().map(|held| held.container());
        let stopped = stopped.filter(|container| container.is_retired() && !container.may_run()).collect();
        let gone = surplus(stopped);
        for held in held.iter().filter(|held| gone.iter().any(|container| container.id == held.id)) {
            self.discard(held).await;
        }
    }

    async fn discard(&self, held: &Held) {
        if let Err(error) = self.remove_container(held).await {
            let instance = held.container().marks.instance;
            tracing::warn!(instance, %error, "the remains of an instance could not be removed");
        }
    }
}

fn of_release(mut found: Vec<Arc<Held>>, release: &Release) -> Vec<Arc<Held>> {
    found.retain(|held| held.container().marks.release.id == release.id);
    found
}

/// Whether an instance counts as one of those that are kept up.
fn is_kept_up(held: &Arc<Held>) -> bool {
    let state = held.state();
    !matches!(
        state,
        None | Some(InstanceState::Failed { .. } | InstanceState::Stopping | InstanceState::Lost)
    )
}
