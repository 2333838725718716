//! What is where, and how a deployment is doing.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use futures_util::future::join_all;
use pilotage_access::Caller;
use pilotage_engine::DeploymentId;
use pilotage_spec::{EdgeSettings, Project, Verb, Workload};
use pilotage_targets::{InstanceState, Observation, Target};
use pilotage_views::{
    self as views, DeploymentRecord, NextAction, Observed, RecordError, StatusFacts, WorkloadRecord,
    WorkloadStatus,
};

use super::extract::Asked;
use super::request::parse_id;
use super::selection::{self, Selection};
use crate::api::{DeploymentDetail, StatusReport};
use crate::context::{Context, blocking};
use crate::error::ErrorBody;
use crate::guard::now;

/// How long a target has to say what runs.
const OBSERVED_WITHIN: Duration = Duration::from_secs(5);

/// What the journal tells of a workload.
struct Told {
    record: WorkloadRecord,
    moving: Option<DeploymentRecord>,
    waiting: Option<DeploymentRecord>,
    last: Option<DeploymentRecord>,
}

pub(crate) async fn status(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Asked(wanted): Asked<Selection>,
) -> Result<Json<StatusReport>, ErrorBody> {
    let (project, file_error) = match context.project().await {
        Ok(project) => (Some(project), None),
        // The words quote the file, parts of which are not for everybody.
        Err(error) if caller.permissions.everywhere(Verb::Read) => (None, Some(error.message)),
        Err(_) => (None, Some("the file cannot be read".to_owned())),
    };
    let name = project.as_ref().map(|project| project.name.to_string());
    let all = {
        let context = context.clone();
        blocking(move || {
            let mut workloads = workloads(&context, project.as_ref(), wanted)?;
            workloads.retain(|at| caller.may(Verb::Read, at.environment.as_str(), at.service.as_str()));
            tell(&context, workloads)
        })
        .await?
    };
    let mut statuses = join_all(all.iter().map(|told| one(&context, told))).await;
    let stopped = context.stopped().await?;
    if stopped.is_some() {
        statuses.iter_mut().filter(|status| status.version.is_some()).for_each(advise_up);
    }
    Ok(Json(StatusReport { project: name, file_error, stopped, workloads: statuses }))
}

pub(crate) async fn deployment(
    State(context): State<Context>,
    Path(id): Path<String>,
) -> Result<Json<DeploymentDetail>, ErrorBody> {
    Ok(Json(detail(context, parse_id(&id)?).await?))
}

pub(crate) async fn detail(context: Context, id: DeploymentId) -> Result<DeploymentDetail, ErrorBody> {
    let reader = context.reader();
    let record = blocking(move || Ok(views::load(&reader, id)?)).await?;
    let live = context.conductor.live(id).filter(|_| record.deployment.end.is_none());
    let activity = live.as_ref().map(|live| live.activity.as_str());
    Ok(DeploymentDetail {
        summary: views::history_line(&record),
        status: views::moving_status(&record, activity),
        plan_hash: record.deployment.plan_hash.clone(),
        gates: record.deployment.gates.clone().unwrap_or_default(),
        statements: record.deployment.statements.clone(),
        live,
    })
}

/// The workloads that are meant, by environment and service.
fn workloads(
    context: &Context,
    project: Option<&Project>,
    wanted: Selection,
) -> Result<BTreeSet<Workload>, ErrorBody> {
    let mut all = selection::known(context, project)?;
    let wanted = wanted.resolve(project, &all)?;
    all.retain(|workload| wanted.holds(workload.environment.as_str(), workload.service.as_str()));
    Ok(all)
}

/// Reads what the journal tells of some workloads.
fn tell(context: &Context, workloads: BTreeSet<Workload>) -> Result<Vec<Told>, ErrorBody> {
    let reader = context.reader();
    let tell = |workload: Workload| {
        let moving = match context.conductor.moving(&workload)?.map(|id| views::load(&reader, id)) {
            // The lease is taken an instant before the first event is recorded.
            None | Some(Err(RecordError::Unknown(_))) => None,
            // And given back an instant after the last one.
            Some(loaded) => Some(loaded?).filter(|record| record.deployment.end.is_none()),
        };
        let waiting = match context.conductor.waiting(&workload)?.map(|id| views::load(&reader, id)) {
            None | Some(Err(RecordError::Unknown(_))) => None,
            Some(loaded) => Some(loaded?).filter(|record| record.deployment.is_waiting()),
        };
        let record = views::workload_record(&reader, &workload)?;
        let last = context.latest()?.ended(&workload).map(|id| views::load(&reader, id)).transpose()?;
        Ok(Told { record, moving, waiting, last })
    };
    workloads.into_iter().map(tell).collect()
}

async fn one(context: &Context, told: &Told) -> WorkloadStatus {
    // A target that is out of reach must not keep others from being told of.
    let observe = context.target.observe(&told.record.workload);
    let (observed, blind) = match tokio::time::timeout(OBSERVED_WITHIN, observe).await {
        Ok(Ok(observation)) => (Some(observed_of(&observation)), None),
        Ok(Err(error)) => (None, Some(error.to_string())),
        Err(_) => (None, Some(format!("its target does not answer within {} s", OBSERVED_WITHIN.as_secs()))),
    };
    let activity = |record: &Option<DeploymentRecord>| {
        let live = record.as_ref().and_then(|record| context.conductor.live(record.id));
        live.map(|live| live.activity)
    };
    let (does, waits_for) = (activity(&told.moving), activity(&told.waiting));
    let mut status = views::workload_status(StatusFacts {
        record: &told.record,
        observed: observed.as_ref(),
        moving: told.moving.as_ref().map(|record| (record, does.as_deref())),
        waiting: told.waiting.as_ref().map(|record| (record, waits_for.as_deref())),
        last: told.last.as_ref(),
        now: now(),
    });
    status.troubles.extend(blind.map(|reason| format!("what runs is not known: {reason}")));
    status
}

/// That nothing runs is as it was wanted, and there is one way to change it.
fn advise_up(status: &mut WorkloadStatus) {
    status.next_action =
        Some(NextAction { command: "pilotage up".to_owned(), why: "everything was stopped".to_owned() });
}

fn observed_of(observation: &Observation) -> Observed {
    let mut observed =
        Observed { shares: observation.shares(), listen: observation.listen(), ..Observed::default() };
    observed.url = observation.traffic.as_ref().map(|traffic| {
        let scheme = traffic.edge.as_ref().map_or("http", EdgeSettings::scheme);
        traffic.route.url(scheme, traffic.listen)
    });
    for instance in &observation.instances {
        let ready = observed.ready.entry(instance.release.version.clone()).or_default();
        let trouble = match &instance.state {
            InstanceState::Ready => {
                *ready += 1;
                None
            }
            InstanceState::Starting | InstanceState::Stopping => None,
            InstanceState::Unready => Some("fails its readiness probe".to_owned()),
            InstanceState::Waiting { reason } => Some(format!("ended and is started again: {reason}")),
            InstanceState::Failed { reason } => Some(format!("was given up: {reason}")),
            InstanceState::Lost => Some("cannot be reached; whether it runs is not known".to_owned()),
        };
        observed.troubles.extend(trouble.map(|trouble| format!("instance {} {trouble}", instance.name)));
    }
    observed
}
