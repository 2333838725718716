//! How much traffic there is.

use axum::Json;
use axum::extract::State;
use pilotage_engine::forecast::CurrentTraffic;
use serde::Deserialize;

use super::extract::Asked;
use crate::context::Context;
use crate::error::ErrorBody;

/// Whose traffic.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    environment: String,
    service: String,
}

/// Counts for a second or two. `null` where nothing serves, or the edge cannot be asked.
pub(crate) async fn traffic(
    State(context): State<Context>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Option<CurrentTraffic>>, ErrorBody> {
    let project = context.project().await?;
    let workload = context.workload(&project, &wanted.environment, &wanted.service)?;
    Ok(Json(context.conductor.traffic(&workload).await?))
}
