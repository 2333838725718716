//! Plans, deployments and rollbacks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use pilotage_access::{Caller, Credential};
use pilotage_conductor::{DeployRequest, RollbackRequest, Started};
use pilotage_engine::Outcome;
use pilotage_spec::{Project, ServiceName};

use super::extract::Body;
use crate::api::{DeployBody, RollbackBody};
use crate::context::{Context, to_its_end};
use crate::error::{ErrorBody, ErrorKind};

pub(crate) async fn plan(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<DeployBody>,
) -> Result<Json<Started>, ErrorBody> {
    let request = deploy_request(&context, body, &caller).await?;
    Ok(Json(context.conductor.plan(&request).await?))
}

pub(crate) async fn deploy(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<DeployBody>,
) -> Result<(StatusCode, Json<Started>), ErrorBody> {
    begin(context, &caller, body, Intent::Deploy).await
}

pub(crate) async fn rehearse(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<DeployBody>,
) -> Result<(StatusCode, Json<Started>), ErrorBody> {
    begin(context, &caller, body, Intent::Rehearse).await
}

/// Whether the release is to be kept, or only its way back to be tried out.
enum Intent {
    Deploy,
    Rehearse,
}

async fn begin(
    context: Context,
    caller: &Caller,
    body: DeployBody,
    intent: Intent,
) -> Result<(StatusCode, Json<Started>), ErrorBody> {
    let admitted = context.admission.admit()?;
    let request = deploy_request(&context, body, caller).await?;
    // The admission is kept until it has begun, whether or not the client waits for that.
    let begun = to_its_end(async move {
        let begun = match intent {
            Intent::Deploy => context.conductor.deploy(&request).await?,
            Intent::Rehearse => context.conductor.rehearse(&request).await?,
        };
        bring_back(&context, &begun, &request.actor, request.command).await?;
        drop(admitted);
        Ok(begun)
    });
    Ok((StatusCode::ACCEPTED, Json(begun.await?)))
}

pub(crate) async fn rollback(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<RollbackBody>,
) -> Result<(StatusCode, Json<Started>), ErrorBody> {
    let admitted = context.admission.admit()?;
    let project = context.project().await?;
    let request = RollbackRequest {
        workload: context.workload(&project, &body.environment, &body.service)?,
        to: body.to.map(|version| version.parse()).transpose()?,
        reason: body.reason,
        by: caller.identity.clone(),
        actor: caller.identity.principal.to_string(),
        command: body.command,
    };
    let begun = to_its_end(async move {
        let begun = context.conductor.roll_back(&request).await?;
        bring_back(&context, &begun, &request.actor, request.command).await?;
        drop(admitted);
        Ok(begun)
    });
    Ok((StatusCode::ACCEPTED, Json(begun.await?)))
}

/// What is to be moved is to run. What a gate has refused moves nothing.
async fn bring_back(
    context: &Context,
    begun: &Started,
    actor: &str,
    command: String,
) -> Result<(), ErrorBody> {
    if begun.outcome != Some(Outcome::Refused) {
        context.bring_back(actor, command).await?;
    }
    Ok(())
}

async fn deploy_request(
    context: &Context,
    body: DeployBody,
    caller: &Caller,
) -> Result<DeployRequest, ErrorBody> {
    let project = context.project().await?;
    let version = body.version.parse()?;
    let workload = context.workload(&project, &body.environment, &body.service)?;
    let strategy =
        body.strategy.map(|name| project.strategy(&name).map(|(name, _)| name.clone())).transpose()?;
    let artifact = match body.artifact {
        Some(path) if path.is_absolute() => allowed_artifact(context, path, caller)?,
        Some(path) => {
            let message = format!("the artifact's path {} is not absolute", path.display());
            return Err(ErrorBody::new(ErrorKind::Usage, message));
        }
        None => artifact(context, &project, &workload.service),
    };
    Ok(DeployRequest {
        project: Arc::new(project),
        workload,
        version,
        artifact,
        strategy,
        confirmation: body.confirmation,
        ticket: body.ticket,
        emergency: body.emergency,
        by: caller.identity.clone(),
        actor: caller.identity.principal.to_string(),
        command: body.command,
    })
}

/// Whoever is not on this machine takes nothing of it but what is the project's.
fn allowed_artifact(context: &Context, path: PathBuf, caller: &Caller) -> Result<PathBuf, ErrorBody> {
    if caller.credential == Credential::Peer {
        return Ok(path);
    }
    // Links are followed before anything is compared.
    let real = std::fs::canonicalize(&path).ok();
    let folder = std::fs::canonicalize(context.config.project_folder()).ok();
    let state = context.config.state.root();
    let is_state = |real: &Path| real.starts_with(state) || state.starts_with(real);
    match (real, folder) {
        (Some(real), Some(folder)) if real.starts_with(&folder) && !is_state(&real) => Ok(real),
        _ => {
            let message = format!(
                "the artifact {} is not in the project's folder, or is where the server keeps its own",
                path.display()
            );
            Err(ErrorBody::new(ErrorKind::Forbidden, message)
                .help("with a token, artifacts are taken from the project's folder on the server only"))
        }
    }
}

fn artifact(context: &Context, project: &Project, service: &ServiceName) -> PathBuf {
    let folder = context.config.project_folder();
    project
        .services
        .get(service)
        .map_or_else(|| folder.to_owned(), |found| folder.join(found.artifact.as_str()))
}
