//! How targets and clusters stand.

use axum::extract::State;
use axum::{Extension, Json};
use futures_util::future::join_all;
use pilotage_access::Caller;
use pilotage_kubernetes::Identities;
use pilotage_spec::{Cluster, ClusterName, Environment, EnvironmentName, Project, Verb, Workload};
use pilotage_targets::Target;
use serde::Deserialize;

use super::extract::{Asked, Body};
use crate::api::{ClusterReport, ForgetBody, Forgotten, TargetReport};
use crate::context::{Context, blocking};
use crate::error::{ErrorBody, ErrorKind};

/// Which environment is meant; all of them if none is named.
#[derive(Debug, Deserialize)]
pub(crate) struct Wanted {
    environment: Option<String>,
}

/// Looks at the targets of the environments of which the caller may read something.
pub(crate) async fn targets(
    State(context): State<Context>,
    Extension(caller): Extension<Caller>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Vec<TargetReport>>, ErrorBody> {
    let project = context.project().await?;
    let wanted = match &wanted.environment {
        Some(name) => Some(project.environment(name)?.0.clone()),
        None => None,
    };
    let shown = |name: &EnvironmentName| {
        wanted.as_ref().is_none_or(|wanted| wanted == name) && may_see(&caller, &project, name)
    };
    let environments = project.environments.iter().filter(|(name, _)| shown(name));
    let reports = environments.map(|(name, environment)| report(&context, &project, name, environment));
    Ok(Json(join_all(reports).await))
}

fn may_see(caller: &Caller, project: &Project, environment: &EnvironmentName) -> bool {
    let mut services = project.services.keys();
    services.any(|service| caller.may(Verb::Read, environment.as_str(), service.as_str()))
}

async fn report(
    context: &Context,
    project: &Project,
    name: &EnvironmentName,
    environment: &Environment,
) -> TargetReport {
    let inspection = context.target.inspect(name).await;
    // What it can do is the same for all services of an environment.
    let service = project.services.keys().next();
    let workload = service.map(|service| Workload { environment: name.clone(), service: service.clone() });
    let capabilities = match workload {
        Some(workload) => context.target.capabilities(&workload).await.ok(),
        None => None,
    };
    TargetReport {
        environment: name.clone(),
        kind: environment.target.kind().to_owned(),
        capabilities,
        inspection,
    }
}

/// Looks at the clusters of the inventory.
pub(crate) async fn clusters(State(context): State<Context>) -> Result<Json<Vec<ClusterReport>>, ErrorBody> {
    let project = context.project().await?;
    let reports = project.clusters.iter().map(|(name, cluster)| cluster_report(&context, name, cluster));
    Ok(Json(join_all(reports).await))
}

async fn cluster_report(context: &Context, name: &ClusterName, cluster: &Cluster) -> ClusterReport {
    let (project, state) = (context.config.project_folder(), context.config.state.targets());
    ClusterReport {
        name: name.clone(),
        region: cluster.region.clone(),
        namespaces: cluster.namespaces.iter().map(ToString::to_string).collect(),
        inspection: pilotage_kubernetes::inspect_cluster(name, cluster, project, &state).await,
    }
}

/// Forgets which cluster a name led to.
pub(crate) async fn forget(
    State(context): State<Context>,
    Body(asked): Body<ForgetBody>,
) -> Result<Json<Forgotten>, ErrorBody> {
    let identities = Identities::at(&context.config.state.targets());
    let was_known = blocking(move || {
        identities.forget(&asked.name).map_err(|error| ErrorBody::new(ErrorKind::Internal, error.to_string()))
    })
    .await?;
    Ok(Json(Forgotten { was_known }))
}
