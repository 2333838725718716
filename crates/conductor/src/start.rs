//! From a plan to the first events of a deployment.

use std::sync::Arc;
use std::time::Duration;

use pilotage_engine::gate::{GateOutcome, GateResult};
use pilotage_engine::{DeploymentEvent, DeploymentId, Outcome, Plan, Purpose, Request};
use pilotage_journal::{Append, Expected, Holder, Lease, LeaseError};
use pilotage_spec::{ReleaseId, ServiceName, Workload};
use pilotage_views::{self as views, DeploymentRecord, RecordError};
use tracing::error;

use crate::conductor::{Inner, lease_name};
use crate::drive::Driver;
use crate::log::{DeploymentLog, Right, SELF};
use crate::planning::{check_gates, deploy_plan, known_releases, restore_plan};
use crate::{
    Conductor, ConductorError, DeployRequest, RollbackRequest, Started, adopt, crash, keeper, reroute,
};

/// A plan that somebody wants carried out.
struct Asked<'a> {
    plan: Plan,
    gates: Vec<GateResult>,
    actor: &'a str,
    command: &'a str,
}

pub(crate) async fn preview(inner: &Inner, request: &DeployRequest) -> Result<Started, ConductorError> {
    let plan = deploy_plan(inner, request).await?;
    let gates = check_gates(inner, &plan, request).await?;
    let id = next_id(inner)?;
    Ok(Started { id, plan, gates, outcome: None })
}

pub(crate) async fn deploy(
    conductor: &Conductor,
    request: &DeployRequest,
) -> Result<Started, ConductorError> {
    let inner = &conductor.inner;
    refuse_if_busy(inner, &request.workload)?;
    let plan = deploy_plan(inner, request).await?;
    let gates = check_gates(inner, &plan, request).await?;
    begin(inner, Asked { plan, gates, actor: &request.actor, command: &request.command }).await
}

pub(crate) async fn roll_back(
    conductor: &Conductor,
    request: &RollbackRequest,
) -> Result<Started, ConductorError> {
    let inner = &conductor.inner;
    if let Some(id) = inner.moving(&request.workload)? {
        let record = match views::load(&inner.journal.reader(), id) {
            Err(RecordError::Unknown(_)) => {
                return Err(ConductorError::NotNow(format!("{id} is just beginning; try again in a moment")));
            }
            record => record?,
        };
        if record.deployment.end.is_none() {
            return take_back(conductor, record, request).await;
        }
    }
    let plan = restore_plan(inner, request)?;
    begin(inner, Asked { plan, gates: Vec::new(), actor: &request.actor, command: &request.command }).await
}

/// Turns a deployment that is under way. One that goes back already is left to it: asked twice is asked once.
async fn take_back(
    conductor: &Conductor,
    record: DeploymentRecord,
    request: &RollbackRequest,
) -> Result<Started, ConductorError> {
    let DeploymentRecord { id, deployment, .. } = record;
    if request.to.is_some() {
        let why = format!("{id} is under way; roll it back first, without --to");
        return Err(ConductorError::NotNow(why));
    }
    if deployment.plan.request.purpose == Purpose::Deploy {
        conductor.request(id, Request::Abort, request.reason.clone(), &request.actor).await?;
    }
    Ok(Started { id, plan: deployment.plan, gates: Vec::new(), outcome: None })
}

fn refuse_if_busy(inner: &Inner, workload: &Workload) -> Result<(), ConductorError> {
    let name = lease_name(workload)?;
    let held = inner.journal.leases()?.into_iter().find(|lease| lease.name == name);
    match held {
        Some(lease) if !is_passing(inner, &lease) => {
            Err(ConductorError::Busy { workload: workload.clone(), lease })
        }
        _ => Ok(()),
    }
}

/// Whether the holder of a lease is about to give it back: the keeper, or a deployment that has just ended.
fn is_passing(inner: &Inner, lease: &Lease) -> bool {
    let ended = |id| {
        let record = views::load(&inner.journal.reader(), id);
        record.is_ok_and(|record| record.deployment.end.is_some())
    };
    lease.holder.what == keeper::HOLDER || lease.holder.what.parse().is_ok_and(ended)
}

/// Takes the lease, records the first events in one transaction, and lets the deployment go.
async fn begin(inner: &Arc<Inner>, asked: Asked<'_>) -> Result<Started, ConductorError> {
    let one_at_a_time = inner.starting.lock().await;
    let id = next_id(inner)?;
    let lease = acquire(inner, &asked.plan.request.workload, asked.actor, id).await?;
    let right = Right { lease: lease.name, token: lease.token };
    let recorded = record_start(inner, id, &asked, &right).await;
    drop(one_at_a_time);
    if let Err(error) = recorded {
        inner.journal.release(right.lease, right.token).await?;
        return Err(error);
    }
    drive(inner, DeploymentLog::load(&inner.journal, id)?, right);
    let refused = asked.gates.iter().any(|gate| gate.outcome == GateOutcome::Refused);
    Ok(Started { id, plan: asked.plan, gates: asked.gates, outcome: refused.then_some(Outcome::Refused) })
}

async fn record_start(
    inner: &Inner,
    id: DeploymentId,
    asked: &Asked<'_>,
    right: &Right,
) -> Result<(), ConductorError> {
    let Asked { plan, gates, actor, command } = asked;
    let request = &plan.request;
    // The plan was made before the lease was held.
    let serving = inner.record(&request.workload)?.current().map(|served| served.release.id.clone());
    if serving.as_ref() != request.stable.as_ref().map(|stable| &stable.id) {
        let why = format!("{}: another deployment has ended meanwhile; try again", request.workload);
        return Err(ConductorError::NotNow(why));
    }
    let first = [
        DeploymentEvent::Started { plan: Box::new(plan.clone()), command: (*command).to_owned() },
        DeploymentEvent::GatesChecked { plan_hash: plan.hash(), results: gates.clone() },
    ];
    let events = first.iter().map(views::new_event).collect::<Result<Vec<_>, _>>()?;
    let append = Append::new(views::deployment_stream(id)?, Expected::Version(0), *actor, events);
    let mut appends = vec![append.fenced(right.lease.clone(), right.token)];
    if gates.iter().all(|gate| gate.outcome == GateOutcome::Passed) {
        appends.extend(first_use(inner, &request.workload.service, &request.candidate.id, actor)?);
        if let Some(edge) = &request.edge {
            appends.extend(reroute::edge_set(inner, &request.workload.environment, edge, actor, command)?);
        }
    }
    crash::point("started", "before_record");
    inner.journal.append_all(appends).await?;
    crash::point("started", "after_record");
    Ok(())
}

/// What makes a version known by its digest for ever, unless it is already.
fn first_use(
    inner: &Inner,
    service: &ServiceName,
    release: &ReleaseId,
    actor: &str,
) -> Result<Option<Append>, ConductorError> {
    let (known, stream_version) = known_releases(inner, service, release)?;
    if known.contains(release) {
        return Ok(None);
    }
    let event = views::release_event(release)?;
    Ok(Some(Append::new(
        views::release_stream(service)?,
        Expected::Version(stream_version),
        actor,
        vec![event],
    )))
}

/// Drives a deployment from here on, on a task of its own. Should the driver be lost, another takes the deployment up as
/// after a restart.
pub(crate) fn drive(inner: &Arc<Inner>, log: DeploymentLog, right: Right) {
    let id = log.id();
    let Some(active) = inner.enter(id) else { return };
    let inner = Arc::clone(inner);
    let driver = tokio::spawn(Driver::new(Arc::clone(&inner), active, log, right).run());
    tokio::spawn(async move {
        let lost = driver.await.is_err_and(|error| error.is_panic());
        inner.leave(id);
        if lost {
            error!(%id, "its driver was lost; another takes it up");
            tokio::time::sleep(Duration::from_secs(1)).await;
            if let Err(error) = adopt::again(&inner, id).await {
                error!(%id, %error, "it cannot be taken up; restart the server");
            }
        }
    });
}

fn next_id(inner: &Inner) -> Result<DeploymentId, ConductorError> {
    let last = views::deployments(&inner.journal.reader())?.last().map_or(0, |id| id.0);
    Ok(DeploymentId(last + 1))
}

/// Takes the lease, also from a holder that is about to give it back: what that still does is fenced against us.
async fn acquire(
    inner: &Inner,
    workload: &Workload,
    actor: &str,
    id: DeploymentId,
) -> Result<Lease, ConductorError> {
    let holder = Holder { who: actor.to_owned(), what: id.to_string() };
    let name = lease_name(workload)?;
    match inner.journal.acquire(name.clone(), holder.clone()).await {
        Ok(lease) => Ok(lease),
        Err(LeaseError::Held(lease)) if is_passing(inner, &lease) => {
            Ok(inner.journal.take_over(name, holder).await?)
        }
        Err(LeaseError::Held(lease)) => Err(ConductorError::Busy { workload: workload.clone(), lease }),
        Err(error) => Err(error.into()),
    }
}

/// The keeper's and the adopter's way to speak for the control plane itself.
pub(crate) fn own_holder(what: &str) -> Holder {
    Holder { who: SELF.to_owned(), what: what.to_owned() }
}
