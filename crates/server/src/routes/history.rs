//! What was, and why.

use axum::extract::{Path, State};
use axum::response::Response;
use axum::{Extension, Json};
use pilotage_access::Caller;
use pilotage_spec::Verb;
use pilotage_views::{self as views, Explanation};
use serde::Deserialize;

use super::extract::Asked;
use super::ndjson;
use super::request::parse_id;
use super::selection::{self, Selection};
use crate::context::{Context, blocking};
use crate::error::{ErrorBody, ErrorKind};

/// Which deployments are wanted.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    service: Option<String>,
    environment: Option<String>,
    #[serde(default = "usual_limit")]
    limit: usize,
}

fn usual_limit() -> usize {
    100
}

/// The latest deployments, oldest first.
pub(crate) async fn history(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, ErrorBody> {
    let reader = context.reader();
    let project = context.project().await.ok();
    let lines = blocking(move || {
        let known = selection::known(&context, project.as_ref())?;
        let selected = Selection { service: wanted.service, environment: wanted.environment };
        let selected = selected.resolve(project.as_ref(), &known)?;
        let mut lines = Vec::new();
        for id in views::deployments(&reader)?.into_iter().rev() {
            if lines.len() >= wanted.limit {
                break;
            }
            let line = views::history_line(&views::load(&reader, id)?);
            let may_see = caller.may(Verb::Read, &line.environment, &line.service);
            if may_see && selected.holds(&line.environment, &line.service) {
                lines.push(line);
            }
        }
        lines.reverse();
        Ok(lines)
    })
    .await?;
    Ok(ndjson::complete(lines))
}

pub(crate) async fn explanation(
    State(context): State<Context>,
    Path(id): Path<String>,
) -> Result<Json<Explanation>, ErrorBody> {
    let (reader, id) = (context.reader(), parse_id(&id)?);
    let record = blocking(move || Ok(views::load(&reader, id)?)).await?;
    let told = views::explain(&record);
    Ok(Json(told.map_err(|error| ErrorBody::new(ErrorKind::Internal, error.to_string()))?))
}
