//! Keeps up what serves, between deployments: instances that are gone are started again, and the traffic goes where the
//! last deployment left it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use pilotage_journal::LeaseError;
use pilotage_spec::{Timestamp, Workload};
use pilotage_targets::{Fence, InstanceState, Observation, Traffic};
use pilotage_views::{self as views, Served};
use tracing::{info, warn};

use crate::conductor::{Inner, lease_name, now};
use crate::{ConductorError, effect, start};

/// What the keeper calls itself in a lease; no deployment has such a name.
pub(crate) const HOLDER: &str = "keeper";
/// How often everything is looked at when nothing says that it has changed.
const ROUND: Duration = Duration::from_secs(1);
/// The longest pause between two repairs of the same workload.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Repairs of one workload lately.
#[derive(Default)]
struct Patience {
    repairs: u32,
    next: Timestamp,
}

/// Looks after every workload until the process ends.
pub(crate) async fn keep(inner: Arc<Inner>) {
    let mut changes = inner.target.changes();
    let mut patience: HashMap<Workload, Patience> = HashMap::new();
    loop {
        if let Err(error) = round(&inner, &mut patience).await {
            warn!(%error, "not everything could be looked after");
        }
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            _ = changes.changed() => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn round(inner: &Inner, patience: &mut HashMap<Workload, Patience>) -> Result<(), ConductorError> {
    for workload in views::workloads(&inner.journal.reader())? {
        if inner.moving(&workload)?.is_some() {
            continue;
        }
        let Some(served) = inner.record(&workload)?.current().cloned() else { continue };
        let observation = inner.target.observe(&workload).await?;
        if is_as_wanted(&served, &observation) {
            continue;
        }
        let patience = patience.entry(workload.clone()).or_default();
        if now() < patience.next {
            continue;
        }
        info!(%workload, version = %served.release.id.version, "repairing");
        repair(inner, &workload, &served).await?;
        patience.repaired();
    }
    Ok(())
}

impl Patience {
    /// A workload that has to be repaired again and again is repaired less and less often.
    fn repaired(&mut self) {
        let now = now();
        let long_ago = now.since(self.next) > LONGEST_PAUSE * 2;
        self.repairs = if long_ago { 1 } else { self.repairs.saturating_add(1) };
        let pause = Duration::from_millis(250).saturating_mul(1 << self.repairs.min(7));
        self.next = now.plus(pause.min(LONGEST_PAUSE));
    }
}

fn alive(observation: &Observation, served: &Served) -> usize {
    let lives = |state: &InstanceState| {
        !matches!(state, InstanceState::Failed { .. } | InstanceState::Stopping | InstanceState::Lost)
    };
    let of = |instance: &&pilotage_targets::Instance| {
        instance.release == served.release.id && lives(&instance.state)
    };
    observation.instances.iter().filter(of).count()
}

fn is_as_wanted(served: &Served, observation: &Observation) -> bool {
    let version = &served.release.id.version;
    let routed = observation.shares.len() == 1 && observation.shares.get(version) == Some(&10_000);
    let others = observation.instances.iter().any(|instance| {
        instance.release.version != *version && !matches!(instance.state, InstanceState::Stopping)
    });
    routed && !others && alive(observation, served) >= served.replicas as usize
}

/// Does what is missing, under the workload's lease; leaves it alone if a deployment has begun meanwhile.
async fn repair(inner: &Inner, workload: &Workload, served: &Served) -> Result<(), ConductorError> {
    let lease = match inner.journal.acquire(lease_name(workload)?, start::own_holder(HOLDER)).await {
        Ok(lease) => lease,
        Err(LeaseError::Held(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let done = repair_held(inner, workload, served, Fence(lease.token)).await;
    inner.journal.release(lease.name, lease.token).await?;
    done
}

async fn repair_held(
    inner: &Inner,
    workload: &Workload,
    served: &Served,
    fence: Fence,
) -> Result<(), ConductorError> {
    let target = &inner.target;
    let version = &served.release.id.version;
    target.ensure(workload, &served.release, served.replicas, fence).await?;
    let observation = target.observe(workload).await?;
    if observation.shares.len() != 1 || observation.shares.get(version) != Some(&10_000) {
        let hold_ms = effect::HOLD.as_millis().try_into().unwrap_or(u64::MAX);
        let traffic = Traffic { listen: served.listen, shares: vec![(version.clone(), 10_000)], hold_ms };
        target.route(workload, &traffic, fence).await?;
    }
    let others = observation.instances.iter().map(|instance| &instance.release.version);
    let mut others: Vec<_> = others.filter(|other| *other != version).collect();
    others.sort_unstable();
    others.dedup();
    for other in others {
        target.retire(workload, other, 0, fence).await?;
    }
    Ok(())
}
