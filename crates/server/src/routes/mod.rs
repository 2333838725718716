//! One file a resource.

mod audit;
mod deploy;
mod down;
mod events;
mod extract;
mod health;
mod history;
mod hooks;
mod logs;
mod ndjson;
mod opinion;
mod request;
mod selection;
mod status;
mod traffic;
mod up;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use pilotage_signals::hooks::BODY_LIMIT_BYTES;

use crate::context::Context;
use crate::error::{ErrorBody, ErrorKind};

/// Every route there is.
pub(crate) fn all() -> Router<Context> {
    Router::new()
        .route("/v1/health", get(health::health))
        .route("/v1/up", post(up::up))
        .route("/v1/down", post(down::down))
        .route("/v1/status", get(status::status))
        .route("/v1/plan", post(deploy::plan))
        .route("/v1/traffic", get(traffic::traffic))
        .route("/v1/deployments", post(deploy::deploy))
        .route("/v1/deployments/{id}", get(status::deployment))
        .route("/v1/deployments/{id}/explanation", get(history::explanation))
        .route("/v1/deployments/{id}/{request}", post(request::request))
        .route("/v1/deployments/{id}/opinion", post(opinion::say))
        .route("/v1/waiting", get(opinion::waiting))
        .route("/v1/rehearsals", post(deploy::rehearse))
        .route("/v1/rollback", post(deploy::rollback))
        .route("/v1/history", get(history::history))
        .route("/v1/events", get(events::events))
        .route("/v1/hooks/{name}", post(hooks::deliver).layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES)))
        .route("/v1/logs", get(logs::logs))
        .route("/v1/audit", get(audit::audit))
        .route("/v1/audit/verify", get(audit::verify))
        .route("/v1/backup", post(audit::backup))
        .fallback(unknown_path)
}

async fn unknown_path() -> ErrorBody {
    ErrorBody::new(ErrorKind::Unknown, "there is nothing at this path")
        .help("client and server may be of different versions: restart the server")
}
