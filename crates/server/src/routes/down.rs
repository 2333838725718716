//! The end of everything.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::{Extension, Json};
use futures_util::future::join_all;
use pilotage_access::Caller;
use pilotage_engine::DeploymentId;
use pilotage_journal::{Holder, Lease};
use pilotage_spec::Workload;
use pilotage_targets::{Fence, Target};
use pilotage_views as views;
use tracing::{info, warn};

use super::extract::Body;
use crate::api::{DownBody, DownDone};
use crate::context::{Context, blocking, to_its_end};
use crate::error::{ErrorBody, ErrorKind};

/// What the lease of a workload that is being stopped says it is for.
const DOWN: &str = "down";

/// Stops all instances, the edge and the server. What serves stays in the journal, so that the next server brings it up
/// again.
pub(crate) async fn down(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<DownBody>,
) -> Result<Json<DownDone>, ErrorBody> {
    let actor = caller.identity.principal.to_string();
    to_its_end(async move { stop(&context, body, &actor).await }).await.map(Json)
}

async fn stop(context: &Context, body: DownBody, actor: &str) -> Result<DownDone, ErrorBody> {
    let mut closed = context.admission.close().await;
    if let Some(stopped) = &*closed {
        // Somebody else has asked for it too, and was first.
        return stopped.clone();
    }
    let workloads = workloads(context, body.force).await?;
    let stopped: Vec<String> = workloads.iter().map(ToString::to_string).collect();
    let already = context.stopped().await?;
    if already.is_none() {
        context.record_stop(&stopped, actor, body.command).await?;
    }
    info!("stopping everything");
    let ended = stop_all(context, &workloads, actor).await.map_err(again);
    if let Err(error) = &ended
        && let Err(unrecorded) = context.record_failed_stop(actor, &error.message).await
    {
        warn!(error = unrecorded.message, "that not everything was stopped is not recorded");
    }
    let stopped = ended.map(|()| DownDone { stopped, already });
    *closed = Some(stopped.clone());
    // Also after a failure: the target is of no further use to this server, and the next one begins afresh.
    context.closing.send_replace(true);
    stopped
}

/// The workloads that serve, and those that are on their way to it for the first time. Fails if one is being moved,
/// unless that is to be ignored.
async fn workloads(context: &Context, force: bool) -> Result<BTreeSet<Workload>, ErrorBody> {
    let context = context.clone();
    blocking(move || {
        let mut workloads: BTreeSet<Workload> = views::workloads(&context.reader())?.into_iter().collect();
        for lease in context.reader().leases()? {
            let Some(workload) = leased(&lease) else { continue };
            if let Some(id) = moved_by(&context, &lease).filter(|_| !force) {
                return Err(moving(&workload, id));
            }
            workloads.insert(workload);
        }
        Ok(workloads)
    })
    .await
}

fn leased(lease: &Lease) -> Option<Workload> {
    let (environment, service) = lease.name.as_str().split_once('/')?;
    Some(Workload { environment: environment.parse().ok()?, service: service.parse().ok()? })
}

/// The deployment that has the lease. One that has ended is about to give it back.
fn moved_by(context: &Context, lease: &Lease) -> Option<DeploymentId> {
    let id = lease.holder.what.parse().ok()?;
    let record = views::load(&context.reader(), id);
    (!record.is_ok_and(|record| record.deployment.end.is_some())).then_some(id)
}

/// Stops as much as can be stopped; the first error, if any, after all has been tried.
async fn stop_all(context: &Context, workloads: &BTreeSet<Workload>, actor: &str) -> Result<(), ErrorBody> {
    let taken = join_all(workloads.iter().map(|workload| take(context, workload, actor))).await;
    let target = context.target.process().shutdown().await;
    taken.into_iter().collect::<Result<(), _>>()?;
    Ok(target?)
}

/// Takes the lease of a workload, so that nothing moves it or keeps it up any more. The next server gives it back.
async fn take(context: &Context, workload: &Workload, actor: &str) -> Result<(), ErrorBody> {
    let holder = Holder { who: actor.to_owned(), what: DOWN.to_owned() };
    let lease = context.journal.take_over(workload.to_string().parse()?, holder).await.map_err(internal)?;
    // Refuses what the holder before is just about to do, and waits for what it is doing: an instance that is being
    // started now would be missed by the shutdown.
    if let Err(error) = context.target.remove(workload, Fence(lease.token)).await {
        // The shutdown stops it all the same, and says whether that was possible.
        warn!(%workload, %error, "not stopped gracefully");
    }
    Ok(())
}

fn moving(workload: &Workload, id: DeploymentId) -> ErrorBody {
    ErrorBody::new(ErrorKind::Busy, format!("{workload} is being moved by {id}: nothing was stopped"))
        .help(format!("wait for it (`pilotage status --watch`), or take it back: pilotage abort {id}"))
}

fn again(error: ErrorBody) -> ErrorBody {
    let message = format!("not everything could be stopped: {}", error.message);
    ErrorBody { message, ..error }.help("the server has ended; `pilotage down` tries again")
}

fn internal(error: impl std::error::Error) -> ErrorBody {
    ErrorBody::new(ErrorKind::Internal, error.to_string())
}
