//! Deliveries of alerts. Each is proved by the hook's own secret; until it is, nothing of it is used.

use std::time::Instant;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use pilotage_signals::hooks::{Headers, parse, verify};
use pilotage_spec::{Hook, HookName, Project};
use pilotage_views::AlertReceived;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::context::{Context, to_its_end};
use crate::error::{ErrorBody, ErrorKind};
use crate::guard::now;

/// What a delivery was taken for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Delivered {
    /// So many alerts are in it.
    pub alerts: usize,
    /// Those that were received for the first time, and what followed from each.
    pub received: Vec<AlertReceived>,
}

pub(crate) async fn deliver(
    State(context): State<Context>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match take_in(context, &name, headers, body).await {
        Ok(delivered) => Json(delivered).into_response(),
        Err(response) => response,
    }
}

async fn take_in(
    context: Context,
    name: &str,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Delivered, Response> {
    let project = context.project().await.map_err(IntoResponse::into_response)?;
    let (name, hook) = find(&context, &project, name)?;
    // Whoever calls is not known yet, and is not told what is wrong here.
    let secret = context.secrets.read_variable(&hook.secret).await;
    let secret = secret.map_err(|error| unproved(&context, name.as_str(), &error.to_string()))?;
    verify(hook.kind, Headers(&headers), &body, secret.expose_text().unwrap_or_default(), now())
        .map_err(|error| unproved(&context, name.as_str(), &error.to_string()))?;
    if !context.deliveries.admits(&name, Instant::now()) {
        warn!(hook = %name, "more deliveries than are taken in");
        return Err(too_many());
    }
    let alerts = parse(hook.kind, &body)
        .map_err(|error| ErrorBody::new(ErrorKind::Usage, error.to_string()).into_response())?;
    let count = alerts.len();
    let conductor = context.conductor.clone();
    let recorded = to_its_end(async move {
        let mut received = Vec::new();
        for alert in alerts {
            received.extend(conductor.alert(&project, &name, &hook, alert).await?);
        }
        Ok(received)
    });
    let received = recorded.await.map_err(IntoResponse::into_response)?;
    Ok(Delivered { alerts: count, received })
}

/// The hook of this name. That there is none is not told apart from a wrong secret.
fn find(context: &Context, project: &Project, name: &str) -> Result<(HookName, Hook), Response> {
    let parsed: Result<HookName, _> = name.parse();
    let found = parsed.ok().and_then(|name| project.hooks.get_key_value(&name));
    let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    found
        .map(|(name, hook)| (name.clone(), hook.clone()))
        .ok_or_else(|| unproved(context, &shown, "the file has no such hook"))
}

fn unproved(context: &Context, name: &str, reason: &str) -> Response {
    let refused = context.deliveries.refused();
    warn!(hook = name, reason, refused, "a delivery of alerts was refused");
    let body = ErrorBody::new(ErrorKind::Forbidden, "this delivery is not proved by the hook's secret")
        .help("compare the secret at the sender with the one of `hooks` in pilotage.yaml; the server's log says more");
    (StatusCode::UNAUTHORIZED, Json(body)).into_response()
}

fn too_many() -> Response {
    let body = ErrorBody::new(ErrorKind::Busy, "more deliveries than this hook takes in")
        .help("try again in a moment");
    (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "5")], Json(body)).into_response()
}
