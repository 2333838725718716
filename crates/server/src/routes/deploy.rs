//! Plans, deployments and rollbacks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use pilotage_access::{Caller, Credential};
use pilotage_conductor::{DeployRequest, RollbackRequest, Started};
use pilotage_engine::Outcome;
use pilotage_spec::{Project, TargetSettings, Version, Workload};
use pilotage_targets::Artifact;

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
    let version: Version = body.version.parse()?;
    let workload = context.workload(&project, &body.environment, &body.service)?;
    let strategy =
        body.strategy.map(|name| project.strategy(&name).map(|(name, _)| name.clone())).transpose()?;
    let artifact = match (body.artifact, body.image) {
        (Some(_), Some(_)) => {
            return Err(ErrorBody::new(ErrorKind::Usage, "a release has an artifact or an image, not both"));
        }
        (None, Some(image)) => Artifact::Image(image),
        (Some(path), None) if path.is_absolute() => allowed_artifact(context, path, caller)?.into(),
        (Some(path), None) => {
            let message = format!("the artifact's path {} is not absolute", path.display());
            return Err(ErrorBody::new(ErrorKind::Usage, message));
        }
        (None, None) => artifact(context, &project, &workload, &version)?,
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

/// What the file says is deployed: an image, or files, as the environment's target has it. A program of the team's own is given the
/// image, if there is one.
fn artifact(
    context: &Context,
    project: &Project,
    workload: &Workload,
    version: &Version,
) -> Result<Artifact, ErrorBody> {
    let (service, target) =
        match (project.services.get(&workload.service), project.environments.get(&workload.environment)) {
            (Some(service), Some(environment)) => (service, &environment.target),
            _ => return Ok(context.config.project_folder().to_owned().into()),
        };
    let image = service.image.as_ref().filter(|_| target.runs_images() != Some(false));
    if let Some(template) = image {
        let image = template.of(version);
        return image
            .map(Artifact::Image)
            .map_err(|error| ErrorBody::new(ErrorKind::Usage, error.to_string()));
    }
    let path = service.artifact.as_ref().filter(|_| target.runs_images() != Some(true));
    match path {
        Some(path) => Ok(context.config.project_folder().join(path.as_str()).into()),
        None => Err(nothing_to_run(workload, target)),
    }
}

fn nothing_to_run(workload: &Workload, target: &TargetSettings) -> ErrorBody {
    let Workload { environment, service } = workload;
    let kind = target.kind();
    let (runs, key) = match target.runs_images() {
        Some(true) => ("images", "image"),
        _ => ("files", "artifact"),
    };
    ErrorBody::new(
        ErrorKind::Usage,
        format!("{environment} runs {runs} (`target: {kind}`), and the service {service} has no `{key}`"),
    )
    .help(format!(
        "add `{key}: …` to `services.{service}`, or deploy it to an environment with another target"
    ))
}
