//! From a request to a plan: the file, what serves now, and what is known of the release.

use std::net::SocketAddr;
use std::time::Duration;

use pilotage_engine::{Plan, PlanError, PlanRequest, Purpose};
use pilotage_spec::{
    InstanceSpec, Policy, Project, Release, ReleaseId, ServiceName, Strategy, StrategyKind, StrategyName,
    Workload,
};
use pilotage_targets::{Artifact, Source};
use pilotage_views::{self as views, Served};

use crate::conductor::Inner;
use crate::{ConductorError, DeployRequest, RollbackRequest, traffic};

pub(crate) async fn deploy_plan(inner: &Inner, request: &DeployRequest) -> Result<Plan, ConductorError> {
    checked(inner, Plan::new(plan_request(inner, request).await?)?).await
}

/// The plan, if everything that it needs of the edge can be had.
async fn checked(inner: &Inner, plan: Plan) -> Result<Plan, ConductorError> {
    let capabilities = inner.target.capabilities(&plan.request.workload).await?;
    plan.check_capabilities(&capabilities)?;
    for traffic in traffic::foreseen(inner, &plan)? {
        inner.target.check_route(&plan.request.workload, &traffic).await?;
    }
    Ok(plan)
}

async fn plan_request(inner: &Inner, request: &DeployRequest) -> Result<PlanRequest, ConductorError> {
    let Workload { environment: environment_name, service } = &request.workload;
    let unknown =
        |what: &str, name: &str| ConductorError::Unknown(format!("{what} `{name}` is not in the file"));
    let project = &request.project;
    let environment = project.environments.get(environment_name);
    let environment = environment.ok_or_else(|| unknown("environment", environment_name.as_str()))?;
    let instance = project.instance(environment_name, service);
    let instance = instance.ok_or_else(|| unknown("service", service.as_str()))?;
    let needs = project.services.get(service).map(|service| service.needs.as_slice()).unwrap_or_default();
    check_needs(inner, &request.workload, needs)?;
    let strategy_name = request.strategy.clone().unwrap_or_else(|| environment.strategy.clone());
    let strategy = project.strategies.get(&strategy_name);
    let strategy = strategy.ok_or_else(|| unknown("strategy", strategy_name.as_str()))?.clone();
    let kubernetes = instance.kubernetes.as_ref();
    let source = Source {
        artifact: request.artifact.clone(),
        version: request.version.clone(),
        manifests: kubernetes.and_then(|workload| workload.manifests.clone()),
    };
    let staged = inner.target.stage(&request.workload, &source).await?;
    let candidate = ReleaseId { version: request.version.clone(), digest: staged.digest };
    let image = match source.artifact {
        Artifact::Image(image) => Some(image),
        Artifact::Path(_) => None,
    };
    let instance = InstanceSpec { image, objects: staged.objects, ..instance };
    known_releases(inner, service, &candidate)?;
    let current = inner.record(&request.workload)?.current().cloned();
    let exposure = project.exposure(environment_name, service).unwrap_or_default();
    let edge = environment.edge.clone().filter(|_| exposure.at_edge);
    Ok(PlanRequest {
        workload: request.workload.clone(),
        candidate: Release { id: candidate, instance },
        stable_replicas: current.as_ref().map_or(0, |served| served.replicas),
        replicas: project.replicas(environment_name, service).unwrap_or(1),
        listen: listen(inner, project, &request.workload, current.as_ref())?,
        stable_listen: current.as_ref().map(|served| served.listen),
        route: exposure.settings,
        stable_route: current.as_ref().map(|served| served.route.clone()),
        edge,
        stable: current.map(|served| served.release),
        strategy_name,
        strategy,
        policy: environment.policy.clone(),
        prometheus: environment.prometheus.clone(),
        purpose: Purpose::Deploy,
    })
}

/// Where users are to reach a workload of the file: at the address that services share; or at the port of the file; without
/// one, at the port that it has for itself; without one, at any.
pub(crate) fn listen(
    inner: &Inner,
    project: &Project,
    workload: &Workload,
    current: Option<&Served>,
) -> Result<SocketAddr, ConductorError> {
    let Workload { environment: name, service } = workload;
    let environment = project
        .environments
        .get(name)
        .ok_or_else(|| ConductorError::Unknown(format!("environment `{name}` is not in the file")))?;
    let at_edge = project.exposure(name, service).is_some_and(|exposure| exposure.at_edge);
    if let Some(edge) = environment.edge.as_ref().filter(|_| at_edge) {
        return Ok(edge.listen);
    }
    let shared = views::edges(&inner.journal.reader(), name)?;
    let own = current.map(|served| served.listen).filter(|listen| !shared.contains_key(listen));
    let port = project.port(name, service).or(own.map(|listen| listen.port())).unwrap_or(0);
    Ok(SocketAddr::new(environment.listen, port))
}

fn check_needs(inner: &Inner, workload: &Workload, needs: &[ServiceName]) -> Result<(), ConductorError> {
    for needed in needs {
        let other = Workload { environment: workload.environment.clone(), service: needed.clone() };
        if inner.record(&other)?.current().is_none() {
            return Err(ConductorError::NeedMissing {
                service: workload.service.to_string(),
                needed: needed.to_string(),
                environment: workload.environment.to_string(),
            });
        }
    }
    Ok(())
}

/// The releases of a service that are known. Within a service a version has one digest for ever, in every environment.
pub(crate) fn known_releases(
    inner: &Inner,
    service: &ServiceName,
    candidate: &ReleaseId,
) -> Result<(Vec<ReleaseId>, u64), ConductorError> {
    let (releases, stream_version) = views::releases(&inner.journal.reader(), service)?;
    match releases.iter().find(|release| release.version == candidate.version) {
        Some(known) if known.digest != candidate.digest => {
            let (version, known, given) =
                (candidate.version.clone(), known.digest.clone(), candidate.digest.clone());
            Err(PlanError::VersionReused { version, known, given }.into())
        }
        _ => Ok((releases, stream_version)),
    }
}

/// The plan by which the way back of a release is tried out: out and back; or, where it serves already, back and out.
pub(crate) async fn rehearsal_plan(inner: &Inner, request: &DeployRequest) -> Result<Plan, ConductorError> {
    let planned = plan_request(inner, request).await?;
    let record = inner.record(&request.workload)?;
    let nothing = || {
        let what = "there is no earlier version to go back to; deploy one there first";
        ConductorError::NothingToRestore(format!("{}: {what}", request.workload))
    };
    let current = record.current().ok_or_else(nothing)?;
    let planned = match current.release.id == planned.candidate.id {
        false => PlanRequest { purpose: Purpose::Rehearse, ..planned },
        true => PlanRequest {
            candidate: record.previous().ok_or_else(nothing)?.release.clone(),
            replicas: current.replicas,
            listen: current.listen,
            route: current.route.clone(),
            edge: None,
            purpose: Purpose::RehearseServing,
            ..planned
        },
    };
    let strategy = Strategy { kind: StrategyKind::BlueGreen, preview: None, hold: false, ..planned.strategy };
    let strategy_name = "rehearsal".parse()?;
    checked(inner, Plan::new(PlanRequest { strategy, strategy_name, ..planned })?).await
}

pub(crate) fn restore_plan(inner: &Inner, request: &RollbackRequest) -> Result<Plan, ConductorError> {
    let record = inner.record(&request.workload)?;
    let workload = &request.workload;
    let nothing = |what: String| ConductorError::NothingToRestore(format!("{workload}: {what}"));
    let current =
        record.current().ok_or_else(|| nothing("nothing has ever been deployed there".to_owned()))?;
    let earlier: &Served = match &request.to {
        Some(version) => record.find(version).ok_or_else(|| {
            nothing(format!("{version} has never served there; `pilotage history` lists what has"))
        })?,
        None => record
            .previous()
            .ok_or_else(|| nothing("there is no earlier version to go back to".to_owned()))?,
    };
    let alone = current.takes_downtime || earlier.takes_downtime;
    let plan = Plan::new(PlanRequest {
        workload: workload.clone(),
        candidate: earlier.release.clone(),
        stable: Some(current.release.clone()),
        replicas: current.replicas,
        stable_replicas: current.replicas,
        listen: earlier.listen,
        stable_listen: Some(current.listen),
        route: earlier.route.clone(),
        stable_route: Some(current.route.clone()),
        edge: None,
        strategy_name: restore_name()?,
        strategy: Strategy::new(
            if alone { StrategyKind::Recreate } else { StrategyKind::BlueGreen },
            Duration::ZERO,
            Duration::ZERO,
        ),
        policy: Policy::default(),
        prometheus: None,
        purpose: Purpose::Restore,
    })?;
    Ok(plan)
}

fn restore_name() -> Result<StrategyName, ConductorError> {
    Ok("restore".parse()?)
}
