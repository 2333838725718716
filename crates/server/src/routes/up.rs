//! The end of a stop.

use axum::extract::State;
use axum::{Extension, Json};
use pilotage_access::Caller;

use super::extract::Body;
use crate::api::{UpBody, UpDone};
use crate::context::{Context, to_its_end};
use crate::error::ErrorBody;

/// Brings back what `down` has stopped, and applies the file's routes to what runs; does nothing where nothing is different.
pub(crate) async fn up(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<UpBody>,
) -> Result<Json<UpDone>, ErrorBody> {
    let admitted = context.admission.admit()?;
    let project = context.project().await?;
    let actor = caller.identity.principal.to_string();
    let done = to_its_end(async move {
        let brought_back = context.bring_back(&actor, body.command.clone()).await?;
        let rerouted = context.conductor.reroute(&project, &actor, &body.command).await?;
        drop(admitted);
        Ok(UpDone { brought_back, rerouted })
    });
    Ok(Json(done.await?))
}
