//! Who answers, and the end of everything.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{ConnectInfo, State};
use pilotage_engine::DeploymentId;
use pilotage_journal::{Append, Expected, Holder, NewEvent};
use pilotage_spec::Workload;
use pilotage_targets::{Fence, Target};
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
    let workloads = workloads(&context)?;
    for workload in &workloads {
        if let Some(id) = context.conductor.moving(workload)?.filter(|_| !body.force) {
            return Err(moving(workload, id));
        }
    }
    let stopped: Vec<String> = workloads.iter().map(ToString::to_string).collect();
    record(&context, &stopped, &actor, body.command).await?;
    info!("stopping everything");
    for workload in &workloads {
        take(&context, workload, &actor).await?;
    }
    context.target.shutdown().await?;
    context.closing.send_replace(true);
    Ok(Json(DownDone { stopped }))
}

/// The workloads that serve, and those that are on their way to it for the first time.
fn workloads(context: &Context) -> Result<BTreeSet<Workload>, ErrorBody> {
    let mut workloads: BTreeSet<Workload> =
        pilotage_views::workloads(&context.reader())?.into_iter().collect();
    for lease in context.reader().leases()? {
        if let Some((environment, service)) = lease.name.as_str().split_once('/')
            && let (Ok(environment), Ok(service)) = (environment.parse(), service.parse())
        {
            workloads.insert(Workload { environment, service });
        }
    }
    Ok(workloads)
}

/// Takes the lease of a workload, so that nothing moves it or keeps it up any more. The next server gives it back.
async fn take(context: &Context, workload: &Workload, actor: &str) -> Result<(), ErrorBody> {
    let moving = context.conductor.moving(workload)?.is_some();
    let name = workload.to_string().parse()?;
    let holder = Holder { who: actor.to_owned(), what: DOWN.to_owned() };
    let lease = context.journal.take_over(name, holder).await.map_err(internal)?;
    if moving {
        // Refuses what the deployment is just about to do, and waits for what it is doing.
        context.target.remove(workload, Fence(lease.token)).await?;
    }
    Ok(())
}

fn moving(workload: &Workload, id: DeploymentId) -> ErrorBody {
    ErrorBody::new(ErrorKind::Busy, format!("{workload} is being moved by {id}: nothing was stopped"))
        .help(format!("wait for it (`pilotage status --watch`), or take it back: pilotage abort {id}"))
}

async fn record(
    context: &Context,
    stopped: &[String],
    actor: &str,
    command: String,
) -> Result<(), ErrorBody> {
    let payload = json!({ "stopped": stopped, "command": command });
    let event = NewEvent::new("project.stopped".parse()?, payload);
    let append = Append::new("project".parse()?, Expected::Any, actor, vec![event]);
    context.journal.append(append).await.map_err(internal)?;
    Ok(())
}

fn internal(error: impl std::error::Error) -> ErrorBody {
    ErrorBody::new(ErrorKind::Internal, error.to_string())
}
