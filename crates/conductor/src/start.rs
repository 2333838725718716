//! From a plan to the first events of a deployment.

use std::sync::Arc;
use std::time::Duration;

use pilotage_engine::gate::{GateResult, may_pass_later};
use pilotage_engine::{Asked, DeploymentEvent, DeploymentId, Outcome, Plan, Purpose, Request};
use pilotage_journal::{Append, Expected, Holder, Lease, LeaseError};
use pilotage_spec::{ReleaseId, ServiceName, Workload};
use pilotage_views::{self as views, DeploymentRecord, RecordError};
use tracing::error;

use crate::conductor::{Inner, lease_name};
use crate::drive::Driver;
use crate::gating::{self, Subject};
use crate::log::{DeploymentLog, Right, SELF};
use crate::planning::{deploy_plan, known_releases, rehearsal_plan, restore_plan};
use crate::{
    Conductor, ConductorError, DeployRequest, RollbackRequest, Started, adopt, collect, confidential, crash,
    keeper, reroute,
};

/// A plan that somebody wants carried out.
struct Wanted<'a> {
    plan: Plan,
    gates: Vec<GateResult>,
    asked: Asked,
    actor: &'a str,
    command: &'a str,
}

/// Whether the release is to be kept, or only its way back to be tried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    Deploy,
    Rehearse,
}

pub(crate) async fn preview(inner: &Inner, request: &DeployRequest) -> Result<Started, ConductorError> {
    let plan = deploy_plan(inner, request).await?;
    let gates = gates_of(inner, &plan, request).await?;
    let id = next_id(inner)?;
    Ok(Started { id, plan, gates, outcome: None })
}

pub(crate) async fn deploy(
    conductor: &Conductor,
    request: &DeployRequest,
    intent: Intent,
) -> Result<Started, ConductorError> {
    let inner = &conductor.inner;
    refuse_if_busy(inner, &request.workload)?;
    let plan = match intent {
        Intent::Deploy => deploy_plan(inner, request).await?,
        Intent::Rehearse => rehearsal_plan(inner, request).await?,
    };
    confidential::refuse_written_out(&inner.secrets, &plan.request.candidate).await?;
    let gates = gates_of(inner, &plan, request).await?;
    let asked = request.asked();
    let wanted = Wanted { plan, gates, asked, actor: &request.actor, command: &request.command };
    match may_pass_later(&wanted.gates) {
        true => begin_waiting(inner, wanted).await,
        false => begin(inner, wanted).await,
    }
}

async fn gates_of(
    inner: &Inner,
    plan: &Plan,
    request: &DeployRequest,
) -> Result<Vec<GateResult>, ConductorError> {
    gating::check(inner, &Subject { plan, asked: &request.asked(), statements: &[] }).await
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
    let (asked, gates) = (Asked { by: Some(request.by.clone()), ..Asked::default() }, Vec::new());
    begin(inner, Wanted { plan, gates, asked, actor: &request.actor, command: &request.command }).await
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
    if deployment.plan.request.purpose != Purpose::Restore {
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
async fn begin(inner: &Arc<Inner>, wanted: Wanted<'_>) -> Result<Started, ConductorError> {
    let one_at_a_time = inner.starting.lock().await;
    let id = next_id(inner)?;
    let lease = acquire(inner, &wanted.plan.request.workload, wanted.actor, id).await?;
    let right = Right { lease: lease.name, token: lease.token };
    let recorded = record_start(inner, id, &wanted, &right).await;
    drop(one_at_a_time);
    if let Err(error) = recorded {
        inner.journal.release(right.lease, right.token).await?;
        return Err(error);
    }
    drive(inner, DeploymentLog::load(&inner.journal, id)?, right);
    let refused = wanted.gates.iter().any(|gate| !gate.outcome.lets_pass());
    Ok(Started { id, plan: wanted.plan, gates: wanted.gates, outcome: refused.then_some(Outcome::Refused) })
}

/// Records a deployment that somebody, or the time, can still let pass, and waits for that.
async fn begin_waiting(inner: &Arc<Inner>, wanted: Wanted<'_>) -> Result<Started, ConductorError> {
    let one_at_a_time = inner.starting.lock().await;
    let id = next_id(inner)?;
    let right = gating::hold(inner, &wanted.plan.request.workload, wanted.actor, id).await?;
    let recorded = inner.journal.append(first_events(id, &wanted, &right)?).await;
    drop(one_at_a_time);
    if let Err(error) = recorded {
        inner.journal.release(right.lease, right.token).await?;
        return Err(error.into());
    }
    gating::wait(inner, DeploymentLog::load(&inner.journal, id)?, right);
    Ok(Started { id, plan: wanted.plan, gates: wanted.gates, outcome: None })
}

async fn record_start(
    inner: &Inner,
    id: DeploymentId,
    wanted: &Wanted<'_>,
    right: &Right,
) -> Result<(), ConductorError> {
    let Wanted { plan, gates, actor, command, .. } = wanted;
    let request = &plan.request;
    // The plan was made before the lease was held.
    let serving = inner.record(&request.workload)?.current().map(|served| served.release.id.clone());
    if serving.as_ref() != request.stable.as_ref().map(|stable| &stable.id) {
        let why = format!("{}: another deployment has ended meanwhile; try again", request.workload);
        return Err(ConductorError::NotNow(why));
    }
    let mut appends = vec![first_events(id, wanted, right)?];
    if gates.iter().all(|gate| gate.outcome.lets_pass()) {
        appends.extend(first_steps(inner, plan, actor, command)?);
    }
    crash::point("started", "before_record");
    inner.journal.append_all(appends).await?;
    crash::point("started", "after_record");
    Ok(())
}

/// What was asked for, and what the gates said of it.
fn first_events(id: DeploymentId, wanted: &Wanted<'_>, right: &Right) -> Result<Append, ConductorError> {
    let Wanted { plan, gates, asked, actor, command } = wanted;
    let first = [
        DeploymentEvent::Started {
            plan: Box::new(plan.clone()),
            command: (*command).to_owned(),
            asked: Box::new(asked.clone()),
        },
        DeploymentEvent::GatesChecked { plan_hash: plan.hash(), results: gates.clone() },
    ];
    let events = first.iter().map(views::new_event).collect::<Result<Vec<_>, _>>()?;
    let append = Append::new(views::deployment_stream(id)?, Expected::Version(0), *actor, events);
    Ok(append.fenced(right.lease.clone(), right.token))
}

/// What is recorded elsewhere when a deployment begins to move.
pub(crate) fn first_steps(
    inner: &Inner,
    plan: &Plan,
    actor: &str,
    command: &str,
) -> Result<Vec<Append>, ConductorError> {
    let request = &plan.request;
    let mut appends = Vec::new();
    appends.extend(first_use(inner, &request.workload.service, &request.candidate.id, actor)?);
    if let Some(edge) = &request.edge {
        appends.extend(reroute::edge_set(inner, &request.workload.environment, edge, actor, command)?);
    }
    Ok(appends)
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
    let environment = log.deployment().plan.request.workload.environment.clone();
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
            return;
        }
        collect::images(&inner, &environment).await;
    });
}

fn next_id(inner: &Inner) -> Result<DeploymentId, ConductorError> {
    let last = views::deployments(&inner.journal.reader())?.last().map_or(0, |id| id.0);
    Ok(DeploymentId(last + 1))
}

/// Takes the lease, also from a holder that is about to give it back: what that still does is fenced against us.
pub(crate) async fn acquire(
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
