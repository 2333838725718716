//! What people say of plans that wait, and what waits.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use pilotage_access::Caller;
use pilotage_conductor::OpinionRequest;
use pilotage_engine::DeploymentId;
use pilotage_spec::Verb;
use pilotage_views as views;

use super::extract::Body;
use super::request::parse_id;
use super::selection;
use super::status;
use crate::api::{DeploymentDetail, OpinionBody};
use crate::context::{Context, blocking};
use crate::error::ErrorBody;

pub(crate) async fn say(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(body): Body<OpinionBody>,
) -> Result<Json<DeploymentDetail>, ErrorBody> {
    let id = parse_id(&id)?;
    let OpinionBody { opinion, plan_hash, reason } = body;
    let said = OpinionRequest { opinion, plan_hash, reason, by: caller.identity };
    context.conductor.say(id, said).await?;
    Ok(Json(status::detail(context, id).await?))
}

/// Every deployment that waits for its gates, of those that the caller may read.
pub(crate) async fn waiting(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Vec<DeploymentDetail>>, ErrorBody> {
    let project = context.project().await.ok();
    let ids: Vec<DeploymentId> = {
        let context = context.clone();
        blocking(move || {
            let mut known = selection::known(&context, project.as_ref())?;
            known.retain(|at| caller.may(Verb::Read, at.environment.as_str(), at.service.as_str()));
            let waiting = known.iter().map(|workload| Ok(context.conductor.waiting(workload)?));
            let found: Result<Vec<Option<DeploymentId>>, ErrorBody> = waiting.collect();
            Ok(found?.into_iter().flatten().collect())
        })
        .await?
    };
    let mut details = Vec::new();
    for id in ids {
        let reader = context.reader();
        let waits = blocking(move || Ok(views::load(&reader, id)?.deployment.is_waiting())).await?;
        if waits {
            details.push(status::detail(context.clone(), id).await?);
        }
    }
    Ok(Json(details))
}
