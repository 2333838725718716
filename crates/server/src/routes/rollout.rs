//! Rollouts that a controller of the team's runs: how they are, and orders to it.

use axum::extract::State;
use axum::{Extension, Json};
use pilotage_access::Caller;
use pilotage_journal::{Append, Expected};
use pilotage_spec::{ControllerOrder, Workload};
use pilotage_targets::{ControllerRollout, Target};
use pilotage_views::{self as views, Ordered, WorkloadEvent};
use serde::Deserialize;
use tracing::warn;

use super::extract::{Asked, Body};
use crate::api::RolloutBody;
use crate::context::{Context, to_its_end};
use crate::error::{ErrorBody, ErrorKind};

/// Whose rollout.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    environment: String,
    service: String,
}

pub(crate) async fn show(
    State(context): State<Context>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<ControllerRollout>, ErrorBody> {
    let project = context.project().await?;
    let workload = context.workload(&project, &wanted.environment, &wanted.service)?;
    Ok(Json(context.target.controller_rollout(&workload).await?))
}

pub(crate) async fn promote(
    state: State<Context>,
    caller: Extension<Caller>,
    body: Body<RolloutBody>,
) -> Result<Json<ControllerRollout>, ErrorBody> {
    let order = if body.0.full { ControllerOrder::PromoteFully } else { ControllerOrder::Promote };
    order_by(state, caller, body, order).await
}

pub(crate) async fn abort(
    state: State<Context>,
    caller: Extension<Caller>,
    body: Body<RolloutBody>,
) -> Result<Json<ControllerRollout>, ErrorBody> {
    order_by(state, caller, body, ControllerOrder::Abort).await
}

pub(crate) async fn retry(
    state: State<Context>,
    caller: Extension<Caller>,
    body: Body<RolloutBody>,
) -> Result<Json<ControllerRollout>, ErrorBody> {
    order_by(state, caller, body, ControllerOrder::Retry).await
}

async fn order_by(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<RolloutBody>,
    order: ControllerOrder,
) -> Result<Json<ControllerRollout>, ErrorBody> {
    let admitted = context.admission.admit()?;
    let project = context.project().await?;
    let workload = context.workload(&project, &body.environment, &body.service)?;
    let actor = caller.identity.principal.to_string();
    let done = to_its_end(async move {
        // Where there is nobody to give an order to, there is nothing to record.
        let controller = context.target.controller_rollout(&workload).await?.controller;
        let RolloutBody { reason, command, .. } = body;
        let ordered = Ordered { controller, order, reason, command, failure: None };
        let rollout = give(&context, &workload, &actor, ordered).await?;
        drop(admitted);
        Ok(rollout)
    });
    Ok(Json(done.await?))
}

/// Records the order and gives it; one that could not be given is recorded as such.
async fn give(
    context: &Context,
    workload: &Workload,
    actor: &str,
    ordered: Ordered,
) -> Result<ControllerRollout, ErrorBody> {
    record(context, workload, actor, ordered.clone()).await?;
    let error = match context.target.order_rollout(workload, ordered.order).await {
        Ok(rollout) => return Ok(rollout),
        Err(error) => error,
    };
    let failure = context.secrets.known().text(&error.to_string()).into_owned();
    let failed = Ordered { failure: Some(failure), ..ordered };
    if let Err(unrecorded) = record(context, workload, actor, failed).await {
        warn!(error = unrecorded.message, "that an order could not be given is not recorded");
    }
    Err(error.into())
}

async fn record(
    context: &Context,
    workload: &Workload,
    actor: &str,
    ordered: Ordered,
) -> Result<(), ErrorBody> {
    let event = WorkloadEvent::Ordered(ordered).new_event()?;
    let stream = views::workload_stream(workload)?;
    let appended = context.journal.append(Append::new(stream, Expected::Any, actor, vec![event])).await;
    appended.map(drop).map_err(|error| ErrorBody::new(ErrorKind::Internal, error.to_string()))
}
