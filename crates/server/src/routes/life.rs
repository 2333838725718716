//! Who answers, and the end of everything.

use axum::Json;
use axum::extract::{ConnectInfo, State};
use pilotage_engine::DeploymentId;
use pilotage_journal::{Append, Expected, Holder, NewEvent};
use pilotage_spec::Workload;
use serde_json::json;
use tracing::info;

use super::extract::Body;
use crate::api::{DownBody, DownDone, Health};
use crate::context::Context;
use crate::error::{ErrorBody, ErrorKind};
use crate::peer::Peer;

/// What the lease of a workload that is being stopped says it is for.
const DOWN: &str = "down";

pub(crate) async fn health(State(context): State<Context>) -> Json<Health> {
    Json(Health {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        project_file: context.config.project_file.clone(),
        state_folder: context.config.state.root().to_owned(),
    })
}

/// Stops all instances, the edge and the server. What serves stays in the journal, so that the next server brings it up
/// again.
pub(crate) async fn down(
    State(context): State<Context>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Body(body): Body<DownBody>,
) -> Result<Json<DownDone>, ErrorBody> {
    let actor = peer.name();
    let workloads = pilotage_views::workloads(&context.reader())?;
    for workload in &workloads {
        if let Some(id) = context.conductor.moving(workload)?.filter(|_| !body.force) {
            return Err(moving(workload, id));
        }
        take(&context, workload, &actor).await?;
    }
    let stopped: Vec<String> = workloads.iter().map(ToString::to_string).collect();
    record(&context, &stopped, actor, body.command).await?;
    info!("stopping everything");
    context.target.shutdown().await?;
    context.closing.send_replace(true);
    Ok(Json(DownDone { stopped }))
}

/// Takes the lease of a workload, so that nothing moves it or keeps it up any more. The next server gives it back.
async fn take(context: &Context, workload: &Workload, actor: &str) -> Result<(), ErrorBody> {
    let internal = |error: &dyn std::error::Error| ErrorBody::new(ErrorKind::Internal, error.to_string());
    let name = workload.to_string().parse().map_err(|error: pilotage_spec::NameError| internal(&error))?;
    let holder = Holder { who: actor.to_owned(), what: DOWN.to_owned() };
    context.journal.take_over(name, holder).await.map_err(|error| internal(&error))?;
    Ok(())
}

fn moving(workload: &Workload, id: DeploymentId) -> ErrorBody {
    ErrorBody::new(ErrorKind::Busy, format!("{workload} is being moved by {id}: nothing was stopped"))
        .help(format!("wait for it (`pilotage status --watch`), or take it back: pilotage abort {id}"))
}

async fn record(
    context: &Context,
    stopped: &[String],
    actor: String,
    command: String,
) -> Result<(), ErrorBody> {
    let internal = |error: &dyn std::error::Error| ErrorBody::new(ErrorKind::Internal, error.to_string());
    let stream = "project".parse().map_err(|error: pilotage_spec::NameError| internal(&error))?;
    let kind = "project.stopped".parse().map_err(|error: pilotage_spec::NameError| internal(&error))?;
    let event = NewEvent::new(kind, json!({ "stopped": stopped, "command": command }));
    let append = Append::new(stream, Expected::Any, actor, vec![event]);
    context.journal.append(append).await.map_err(|error| internal(&error))?;
    Ok(())
}
