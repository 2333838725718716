//! Keeps up what serves, between deployments: instances that are gone are started again, and the traffic goes where the
//! last deployment left it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pilotage_journal::LeaseError;
use pilotage_spec::Workload;
use pilotage_targets::{Fence, Instance, InstanceState, Observation, Traffic};
use pilotage_views::{self as views, Served};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::conductor::{Inner, lease_name};
use crate::{ConductorError, start, traffic};

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
    next: Option<Instant>,
}

/// One workload that is looked after.
#[derive(Default)]
struct Charge {
    patience: Patience,
    /// A look that goes on: a workload that takes its time, or whose target is out of reach, does not hold up the others.
    look: Option<JoinHandle<Found>>,
}

/// What a look came to.
enum Found {
    AsItShouldBe,
    /// It was repaired, or could not be, or could not even be looked at.
    Trouble,
}

/// Looks after every workload until the process ends.
pub(crate) async fn keep(inner: Arc<Inner>) {
    let mut changes = inner.target.changes();
    let mut charges: HashMap<Workload, Charge> = HashMap::new();
    loop {
        match views::workloads(&inner.journal.reader()) {
            Ok(workloads) => {
                for workload in workloads {
                    charges.entry(workload.clone()).or_default().look(&inner, workload).await;
                }
            }
            Err(error) => warn!(%error, "the workloads are not known"),
        }
        tokio::select! {
            () = tokio::time::sleep(ROUND) => {}
            _ = changes.changed() => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

impl Charge {
    async fn look(&mut self, inner: &Arc<Inner>, workload: Workload) {
        if let Some(look) = self.look.take() {
            if !look.is_finished() {
                self.look = Some(look);
                return;
            }
            if !matches!(look.await, Ok(Found::AsItShouldBe)) {
                self.patience.count();
            }
        }
        if self.patience.is_over() {
            let inner = Arc::clone(inner);
            self.look = Some(tokio::spawn(async move { look_after(&inner, &workload).await }));
        }
    }
}

async fn look_after(inner: &Inner, workload: &Workload) -> Found {
    match needs_repair(inner, workload).await {
        Ok(false) => return Found::AsItShouldBe,
        Ok(true) => info!(%workload, "repairing"),
        Err(error) => {
            warn!(%workload, %error, "cannot be looked at");
            return Found::Trouble;
        }
    }
    if let Err(error) = repair(inner, workload).await {
        warn!(%workload, %error, "not repaired");
    }
    Found::Trouble
}

/// Repairs a workload at once, if anything about it is not as it should be.
pub(crate) async fn put_right(inner: &Inner, workload: &Workload) -> Result<(), ConductorError> {
    if needs_repair(inner, workload).await? { repair(inner, workload).await } else { Ok(()) }
}

async fn needs_repair(inner: &Inner, workload: &Workload) -> Result<bool, ConductorError> {
    if inner.moving(workload)?.is_some() {
        return Ok(false);
    }
    let Some(served) = inner.record(workload)?.current().cloned() else { return Ok(false) };
    let observation = inner.target.observe(workload).await?;
    let wanted = traffic::wanted(inner, workload, &served)?;
    Ok(!is_as_wanted(&served, &wanted, &observation))
}

impl Patience {
    fn is_over(&self) -> bool {
        self.next.is_none_or(|next| Instant::now() >= next)
    }

    /// A workload that has to be repaired again and again is repaired less and less often.
    fn count(&mut self) {
        let calm = self.next.is_none_or(|next| next.elapsed() > LONGEST_PAUSE * 2);
        self.repairs = if calm { 1 } else { self.repairs.saturating_add(1) };
        let pause = Duration::from_millis(250).saturating_mul(1 << self.repairs.min(7));
        self.next = Some(Instant::now() + pause.min(LONGEST_PAUSE));
    }
}

fn alive(observation: &Observation, served: &Served) -> usize {
    let lives = |state: &InstanceState| {
        !matches!(state, InstanceState::Failed { .. } | InstanceState::Stopping | InstanceState::Lost)
    };
    let of = |instance: &&Instance| instance.release == served.release.id && lives(&instance.state);
    observation.instances.iter().filter(of).count()
}

fn is_as_wanted(served: &Served, wanted: &Traffic, observation: &Observation) -> bool {
    let version = &served.release.id.version;
    let routed = observation.traffic.as_ref() == Some(wanted);
    let others = observation.instances.iter().any(|instance| {
        instance.release.version != *version && !matches!(instance.state, InstanceState::Stopping)
    });
    routed && !others && alive(observation, served) >= served.replicas as usize
}

/// Does what is missing, under the workload's lease; leaves it alone if a deployment has begun meanwhile.
async fn repair(inner: &Inner, workload: &Workload) -> Result<(), ConductorError> {
    let lease = match inner.journal.acquire(lease_name(workload)?, start::own_holder(HOLDER)).await {
        Ok(lease) => lease,
        Err(LeaseError::Held(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    // Read again under the lease: a deployment may have come and gone since.
    let done = match inner.record(workload)?.current() {
        Some(served) => repair_held(inner, workload, served, Fence(lease.token)).await,
        None => Ok(()),
    };
    match inner.journal.release(lease.name, lease.token).await {
        // A deployment could not wait; its effects are fenced against ours.
        Ok(()) | Err(LeaseError::NotHeld { .. }) => done,
        Err(error) => Err(error.into()),
    }
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
    let ready = |wanted: bool| {
        let instances = observation.instances.iter();
        instances
            .filter(|instance| instance.state == InstanceState::Ready)
            .any(|instance| (instance.release == served.release.id) == wanted)
    };
    if !ready(true) && ready(false) {
        // What serves now, however it came to it, goes on until what should serve is there.
        return Ok(());
    }
    let wanted = traffic::wanted(inner, workload, served)?;
    if observation.traffic.as_ref() != Some(&wanted) {
        target.route(workload, &wanted, fence).await?;
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
