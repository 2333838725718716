//! Who answers.

use axum::Json;
use axum::extract::State;

use crate::api::Health;
use crate::context::Context;

pub(crate) async fn health(State(context): State<Context>) -> Json<Health> {
    Json(Health {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        project_file: context.config.project_file.clone(),
        state_folder: context.config.state.root().to_owned(),
    })
}

/// Whether the server answers; for whoever looks after its process, and so without a word about it.
pub(crate) async fn live() -> &'static str {
    "alive"
}
