//! What may be asked of a deployment that is under way.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use pilotage_access::Caller;
use pilotage_engine::{DeploymentId, Request};

use super::extract::Body;
use super::status;
use crate::api::{DeploymentDetail, RequestBody};
use crate::context::Context;
use crate::error::{ErrorBody, ErrorKind};

pub(crate) async fn promote(
    state: State<Context>,
    caller: Extension<Caller>,
    path: Path<String>,
    body: Body<RequestBody>,
) -> Result<Json<DeploymentDetail>, ErrorBody> {
    let request = if body.0.full { Request::PromoteFully } else { Request::Promote };
    ask(state, caller, path, body, request).await
}

pub(crate) async fn abort(
    state: State<Context>,
    caller: Extension<Caller>,
    path: Path<String>,
    body: Body<RequestBody>,
) -> Result<Json<DeploymentDetail>, ErrorBody> {
    ask(state, caller, path, body, Request::Abort).await
}

pub(crate) async fn pause(
    state: State<Context>,
    caller: Extension<Caller>,
    path: Path<String>,
    body: Body<RequestBody>,
) -> Result<Json<DeploymentDetail>, ErrorBody> {
    ask(state, caller, path, body, Request::Pause).await
}

pub(crate) async fn resume(
    state: State<Context>,
    caller: Extension<Caller>,
    path: Path<String>,
    body: Body<RequestBody>,
) -> Result<Json<DeploymentDetail>, ErrorBody> {
    ask(state, caller, path, body, Request::Resume).await
}

async fn ask(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(body): Body<RequestBody>,
    request: Request,
) -> Result<Json<DeploymentDetail>, ErrorBody> {
    let id = parse_id(&id)?;
    let actor = caller.identity.principal.to_string();
    context.conductor.request(id, request, body.reason, &actor).await?;
    Ok(Json(status::detail(context, id).await?))
}

pub(crate) fn parse_id(text: &str) -> Result<DeploymentId, ErrorBody> {
    text.parse().map_err(|error: pilotage_engine::DeploymentIdError| {
        ErrorBody::new(ErrorKind::Usage, error.to_string())
    })
}
