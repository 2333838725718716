//! What may be asked of a deployment that is under way.

use axum::Json;
use axum::extract::{ConnectInfo, Path, State};
use pilotage_engine::{DeploymentId, Request};

use super::extract::Body;
use super::status;
use crate::api::{DeploymentDetail, RequestBody};
use crate::context::Context;
use crate::error::{ErrorBody, ErrorKind};
use crate::peer::Peer;

pub(crate) async fn request(
    State(context): State<Context>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path((id, verb)): Path<(String, String)>,
    Body(body): Body<RequestBody>,
) -> Result<Json<DeploymentDetail>, ErrorBody> {
    let id = parse_id(&id)?;
    let request = match (verb.as_str(), body.full) {
        ("promote", false) => Request::Promote,
        ("promote", true) => Request::PromoteFully,
        ("abort", _) => Request::Abort,
        ("pause", _) => Request::Pause,
        ("resume", _) => Request::Resume,
        _ => {
            let message = format!("a deployment cannot be asked to `{}`", verb.escape_debug());
            return Err(ErrorBody::new(ErrorKind::Unknown, message).help("promote, abort, pause or resume"));
        }
    };
    context.conductor.request(id, request, body.reason, &peer.name()).await?;
    Ok(Json(status::detail(context, id).await?))
}

pub(crate) fn parse_id(text: &str) -> Result<DeploymentId, ErrorBody> {
    text.parse().map_err(|error: pilotage_engine::DeploymentIdError| {
        ErrorBody::new(ErrorKind::Usage, error.to_string())
    })
}
