//! A deployment that waits for its gates. It holds no lease that anything else would want: what serves goes on being looked
//! after, and the way back is as free as ever. It has a lease of its own, by which it is found again after a restart.

use std::sync::Arc;
use std::time::Duration;

use pilotage_engine::gate::{GateOutcome, GateResult};
use pilotage_engine::{Decision, DeploymentEvent, DeploymentId, Facts, decide};
use pilotage_journal::{Holder, Lease, LeaseError, LeaseName};
use pilotage_spec::{NameError, Workload};
use tracing::{info, warn};

use super::{Subject, check};
use crate::conductor::{Active, Inner, now};
use crate::log::{DeploymentLog, Right};
use crate::{ConductorError, start};

/// The leases of deployments that wait are below this.
const PREFIX: &str = "waiting/";
/// How often the gates are asked again, beside whenever somebody has said something.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// Whether a lease is that of a deployment that waits.
pub(crate) fn is_waiting_lease(name: &LeaseName) -> bool {
    name.as_str().starts_with(PREFIX)
}

/// Takes the lease of the one deployment of a workload that may wait.
pub(crate) async fn hold(
    inner: &Inner,
    workload: &Workload,
    actor: &str,
    id: DeploymentId,
) -> Result<Right, ConductorError> {
    let holder = Holder { who: actor.to_owned(), what: id.to_string() };
    match inner.journal.acquire(lease_name(workload)?, holder).await {
        Ok(lease) => Ok(Right { lease: lease.name, token: lease.token }),
        Err(LeaseError::Held(lease)) => Err(ConductorError::Waiting { workload: workload.clone(), lease }),
        Err(error) => Err(error.into()),
    }
}

fn lease_name(workload: &Workload) -> Result<LeaseName, NameError> {
    format!("{PREFIX}{workload}").parse()
}

/// The deployment of a workload that waits, if one does.
pub(crate) fn waiting(inner: &Inner, workload: &Workload) -> Result<Option<DeploymentId>, ConductorError> {
    let name = lease_name(workload)?;
    let lease = inner.journal.leases()?.into_iter().find(|lease| lease.name == name);
    Ok(lease.and_then(|Lease { holder, .. }| holder.what.parse().ok()))
}

/// Waits on a task of its own until the gates pass, and lets the deployment go; or until it has ended without.
pub(crate) fn wait(inner: &Arc<Inner>, log: DeploymentLog, right: Right) {
    let id = log.id();
    let Some(active) = inner.enter(id) else { return };
    let waiter = Waiter { inner: Arc::clone(inner), active, log, right };
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        let (lease, token) = (waiter.right.lease.clone(), waiter.right.token);
        let may_go = waiter.run().await;
        inner.leave(id);
        if let Some((log, right)) = may_go {
            start::drive(&inner, log, right);
        }
        if let Err(error) = inner.journal.release(lease, token).await {
            warn!(%id, %error, "the lease of a deployment that waited was not given back");
        }
    });
}

struct Waiter {
    inner: Arc<Inner>,
    active: Arc<Active>,
    log: DeploymentLog,
    right: Right,
}

/// What comes of one look.
enum Looked {
    /// It goes on waiting.
    Waits,
    /// It has ended without having done anything.
    Ended,
    /// Its gates have passed: it may go, by this right.
    MayGo(Right),
}

impl Waiter {
    async fn run(mut self) -> Option<(DeploymentLog, Right)> {
        let id = self.log.id();
        info!(%id, "waiting for its gates");
        loop {
            match self.look().await {
                Ok(Looked::Waits) => {}
                Ok(Looked::Ended) => return None,
                Ok(Looked::MayGo(right)) => {
                    info!(%id, "its gates have passed");
                    return Some((self.log, right));
                }
                Err(error) => {
                    warn!(%id, %error, "its gates cannot be asked for now");
                    self.active
                        .show(|live| live.activity = format!("its gates cannot be asked for now: {error}"));
                }
            }
            tokio::select! {
                () = tokio::time::sleep(ASK_EVERY) => {}
                () = self.active.bell.notified() => {}
            }
        }
    }

    async fn look(&mut self) -> Result<Looked, ConductorError> {
        self.log.refresh()?;
        match decide(self.log.deployment(), &Facts::default(), now()) {
            Decision::Finished(_) => return Ok(Looked::Ended),
            Decision::Record(events) => {
                self.log.record(&events, &self.right, Vec::new()).await?;
                return Ok(if self.log.deployment().end.is_some() { Looked::Ended } else { Looked::Waits });
            }
            Decision::Act(_) | Decision::Wait { .. } => {}
        }
        let results = check(&self.inner, &Subject::of(self.log.deployment())).await?;
        self.show(&results);
        if results.iter().all(|gate| gate.outcome.lets_pass()) {
            return self.go().await;
        }
        let refused = results.iter().any(|gate| gate.outcome == GateOutcome::Refused);
        if self.log.deployment().gates.as_ref() != Some(&results) {
            self.record_gates(results).await?;
        } else {
            self.remind(&results).await?;
        }
        match refused {
            // What follows from it is decided and recorded at once.
            true => Box::pin(self.look()).await,
            false => Ok(Looked::Waits),
        }
    }

    /// Takes the lease by which things are moved; asks once more, now that nothing else moves; and records that it goes.
    async fn go(&mut self) -> Result<Looked, ConductorError> {
        let id = self.log.id();
        let workload = self.log.deployment().plan.request.workload.clone();
        let lease = match start::acquire(&self.inner, &workload, self.log.author(), id).await {
            Ok(lease) => lease,
            Err(ConductorError::Busy { lease, .. }) => {
                let what = &lease.holder.what;
                self.active
                    .show(|live| live.activity = format!("its gates have passed; {what} is under way"));
                return Ok(Looked::Waits);
            }
            Err(error) => return Err(error),
        };
        let right = Right { lease: lease.name, token: lease.token };
        let gone = self.begin(&right).await;
        match gone {
            Ok(true) => Ok(Looked::MayGo(right)),
            other => {
                self.inner.journal.release(right.lease, right.token).await?;
                other.map(|_| Looked::Waits)
            }
        }
    }

    /// Whether the gates still pass, which then is recorded.
    async fn begin(&mut self, right: &Right) -> Result<bool, ConductorError> {
        self.log.refresh()?;
        let deployment = self.log.deployment();
        let results = check(&self.inner, &Subject::of(deployment)).await?;
        if deployment.aborted.is_some() || !results.iter().all(|gate| gate.outcome.lets_pass()) {
            return Ok(false);
        }
        let also = start::first_steps(&self.inner, &deployment.plan, self.log.author(), &deployment.command)?;
        let event = DeploymentEvent::GatesChecked { plan_hash: deployment.plan_hash.clone(), results };
        self.log.record_with(&[event], right, also).await
    }

    async fn record_gates(&mut self, results: Vec<GateResult>) -> Result<(), ConductorError> {
        let plan_hash = self.log.deployment().plan_hash.clone();
        let event = DeploymentEvent::GatesChecked { plan_hash, results };
        self.log.record(&[event], &self.right, Vec::new()).await?;
        Ok(())
    }

    /// Reminds those who are asked, as often as the policy says.
    async fn remind(&mut self, results: &[GateResult]) -> Result<(), ConductorError> {
        let deployment = self.log.deployment();
        let Some(approvals) = &deployment.plan.request.policy.approvals else { return Ok(()) };
        if now().since(deployment.reminded_at) < approvals.remind {
            return Ok(());
        }
        let missing: Vec<String> = missing(results).collect();
        info!(id = %self.log.id(), ?missing, "a reminder: it still waits");
        self.log.record(&[DeploymentEvent::Reminded { missing }], &self.right, Vec::new()).await?;
        Ok(())
    }

    fn show(&self, results: &[GateResult]) {
        let missing: Vec<String> = missing(results).collect();
        self.active.show(|live| live.activity = format!("waiting: {}", missing.join("; ")));
    }
}

/// What is missing and who can give it, in words.
fn missing(results: &[GateResult]) -> impl Iterator<Item = String> {
    results.iter().filter(|gate| !gate.outcome.lets_pass()).map(|gate| {
        let remedy = gate.remedy.as_deref().unwrap_or_default();
        format!("{}: {}; {remedy}", gate.gate, gate.finding)
    })
}
