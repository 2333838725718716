//! Takes tasks down.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use pilotage_spec::{Version, Workload};
use pilotage_targets::{Claim, Fence, TargetError};
use tokio::time::{Instant, sleep};

use super::board::{Board, Deployed};
use super::shared::Shared;
use crate::engine::Fault;

/// No holder is newer than this one: what it takes down is not taken back.
const IRREVOCABLE: Fence = Fence(u64::MAX);
/// What Swarm needs to end a task beyond the task's own grace.
const END_MARGIN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

impl Shared {
    /// See [`pilotage_targets::Target::retire`]. Which tasks go when some are kept is for Swarm to say.
    pub async fn retire(
        self: &Arc<Self>,
        workload: &Workload,
        version: &Version,
        keep: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let claim = self.config.claims.claim(workload, fence).await?;
        self.look().await?;
        let mut services = self.board.services(workload);
        services.retain(|service| service.marks.release.id.version == *version);
        if keep == 0 {
            return self.take_down(claim, services, fence).await;
        }
        for service in services.iter().filter(|service| service.replicas() > keep) {
            self.scale(service, keep).await?;
            self.until_gone(service, keep as usize).await?;
        }
        Ok(())
    }

    /// See [`pilotage_targets::Target::remove`].
    pub async fn remove(self: &Arc<Self>, workload: &Workload, fence: Fence) -> Result<(), TargetError> {
        let claim = self.config.claims.claim(workload, fence).await?;
        self.config.edge.end(workload).await?;
        self.look().await?;
        let services = self.board.services(workload);
        self.take_down(claim, services, fence).await
    }

    /// Takes services out of the traffic, waits for their requests in flight, and removes them.
    async fn take_down(
        self: &Arc<Self>,
        claim: Claim,
        services: Vec<Deployed>,
        fence: Fence,
    ) -> Result<(), TargetError> {
        if services.is_empty() {
            return Ok(());
        }
        let workload = claim.record.workload.clone();
        let leaving = Leaving { services, board: Arc::clone(&self.board) };
        leaving.mark(Some(fence));
        // The waits may be long, and a rollback by another holder must not wait for them.
        drop(claim);
        let drains = leaving.services.iter().map(|service| {
            let release = &service.marks.release;
            self.config.edge.drain(&workload, &release.id.version, None, release.instance.stop_grace)
        });
        join_all(drains).await.into_iter().collect::<Result<(), _>>()?;
        // Somebody may have taken over meanwhile, and want to keep them.
        let claim = self.config.claims.claim(&workload, fence).await?;
        leaving.mark(Some(IRREVOCABLE));
        drop(claim);
        let gone = join_all(leaving.services.iter().map(|service| self.delete(service))).await;
        gone.into_iter().collect::<Result<(), _>>()?;
        self.forget_secrets().await
    }

    /// Removes a service, and waits until its tasks have ended.
    pub async fn delete(self: &Arc<Self>, service: &Deployed) -> Result<(), TargetError> {
        if let Err(error) = self.engine.docker().delete_service(&service.id).await {
            match self.engine.fault(&error) {
                Fault::NotFound { .. } => {}
                fault => return Err(self.engine.refused("remove a service", fault)),
            }
        }
        self.until_gone(service, 0).await
    }

    async fn until_gone(self: &Arc<Self>, service: &Deployed, keep: usize) -> Result<(), TargetError> {
        let deadline = Instant::now() + service.marks.release.instance.stop_grace + END_MARGIN;
        loop {
            self.look().await?;
            if self.board.instances_of(service).len() <= keep {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(TargetError::Failed {
                    doing: format!("stop tasks of {}", service.marks.instance),
                    reason: "they did not end in time; see `docker service ps`".to_owned(),
                });
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// Services that get no traffic because they are about to be removed. Whatever is there in the end, because the call failed
/// or was given up, gets traffic again.
struct Leaving {
    services: Vec<Deployed>,
    board: Arc<Board>,
}

impl Leaving {
    fn mark(&self, by: Option<Fence>) {
        self.services.iter().for_each(|service| self.board.drain(&service.marks.instance, by));
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.mark(None);
    }
}
