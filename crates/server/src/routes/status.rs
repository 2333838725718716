//! What is where, and how a deployment is doing.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use axum::extract::{Path, State};
use pilotage_engine::DeploymentId;
use pilotage_spec::{Project, Workload};
use pilotage_targets::{InstanceState, Observation, Target};
use pilotage_views::{
    self as views, DeploymentRecord, Observed, RecordError, StatusFacts, WorkloadRecord, WorkloadStatus,
};
use serde::Deserialize;

use super::extract::Asked;
use super::request::parse_id;
use crate::api::{DeploymentDetail, StatusReport};
use crate::context::Context;
use crate::error::ErrorBody;

/// So many of the latest deployments are searched for the one that ended last in a workload.
const SEARCHED: usize = 200;

/// Which workloads are wanted.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Wanted {
    service: Option<String>,
    environment: Option<String>,
}

pub(crate) async fn status(
    State(context): State<Context>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<StatusReport>, ErrorBody> {
    let (project, file_error) = match context.project() {
        Ok(project) => (Some(project), None),
        Err(error) => (None, Some(error.message)),
    };
    let workloads = workloads(&context, project.as_ref(), &wanted)?;
    let last = last_ended(&context, &workloads)?;
    let mut statuses = Vec::new();
    for workload in workloads {
        statuses.push(one(&context, &workload, last.get(&workload)).await?);
    }
    let project = project.map(|project| project.name.to_string());
    Ok(Json(StatusReport { project, file_error, workloads: statuses }))
}

pub(crate) async fn deployment(
    State(context): State<Context>,
    Path(id): Path<String>,
) -> Result<Json<DeploymentDetail>, ErrorBody> {
    Ok(Json(detail(&context, parse_id(&id)?)?))
}

pub(crate) fn detail(context: &Context, id: DeploymentId) -> Result<DeploymentDetail, ErrorBody> {
    let record = views::load(&context.reader(), id)?;
    let live = context.conductor.live(id).filter(|_| record.deployment.end.is_none());
    let activity = live.as_ref().map(|live| live.activity.as_str());
    Ok(DeploymentDetail {
        summary: views::history_line(&record),
        status: views::moving_status(&record, activity),
        live,
    })
}

/// The workloads that the file names and those that were ever deployed, by environment and service.
fn workloads(
    context: &Context,
    project: Option<&Project>,
    wanted: &Wanted,
) -> Result<BTreeSet<Workload>, ErrorBody> {
    let mut all: BTreeSet<Workload> = views::workloads(&context.reader())?.into_iter().collect();
    let (mut service, mut environment) = (wanted.service.clone(), wanted.environment.clone());
    if let Some(project) = project {
        for environment in project.environments.keys() {
            all.extend(
                project
                    .services
                    .keys()
                    .map(|service| Workload { environment: environment.clone(), service: service.clone() }),
            );
        }
        // What the file does not name may still be in the journal.
        let known = |workload: &Workload| Some(workload.service.to_string()) == service;
        if let Some(name) = service.as_ref().filter(|_| !all.iter().any(known)) {
            service = Some(project.service(name)?.0.to_string());
        }
        let known = |workload: &Workload| Some(workload.environment.to_string()) == environment;
        if let Some(name) = environment.as_ref().filter(|_| !all.iter().any(known)) {
            environment = Some(project.environment(name)?.0.to_string());
        }
    }
    all.retain(|workload| {
        service.as_ref().is_none_or(|name| workload.service.as_str() == name)
            && environment.as_ref().is_none_or(|name| workload.environment.as_str() == name)
    });
    Ok(all)
}

/// The deployment of each workload that ended last.
fn last_ended(
    context: &Context,
    workloads: &BTreeSet<Workload>,
) -> Result<BTreeMap<Workload, DeploymentRecord>, ErrorBody> {
    let reader = context.reader();
    let mut last = BTreeMap::new();
    for id in views::deployments(&reader)?.into_iter().rev().take(SEARCHED) {
        if last.len() == workloads.len() {
            break;
        }
        let record = views::load(&reader, id)?;
        let workload = &record.deployment.plan.request.workload;
        if record.deployment.end.is_some() && workloads.contains(workload) && !last.contains_key(workload) {
            last.insert(workload.clone(), record);
        }
    }
    Ok(last)
}

async fn one(
    context: &Context,
    workload: &Workload,
    last: Option<&DeploymentRecord>,
) -> Result<WorkloadStatus, ErrorBody> {
    let reader = context.reader();
    let record: WorkloadRecord = views::workload_record(&reader, workload)?;
    let moving = match context.conductor.moving(workload)?.map(|id| views::load(&reader, id)) {
        // The lease is taken an instant before the first event is recorded.
        None | Some(Err(RecordError::Unknown(_))) => None,
        Some(loaded) => Some(loaded?),
    };
    let live = moving.as_ref().and_then(|record| context.conductor.live(record.id));
    let observed = context.target.observe(workload).await.ok().map(|observation| observed(&observation));
    let activity = live.as_ref().map(|live| live.activity.as_str());
    Ok(views::workload_status(StatusFacts {
        record: &record,
        observed: observed.as_ref(),
        moving: moving.as_ref().map(|record| (record, activity)),
        last,
    }))
}

fn observed(observation: &Observation) -> Observed {
    let mut observed =
        Observed { shares: observation.shares.clone(), listen: observation.listen, ..Observed::default() };
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
