//! The plan that is played: as `pilotage deploy` would make it, but for what only a target knows.

use std::net::SocketAddr;

use pilotage_engine::{Plan, PlanRequest, Purpose};
use pilotage_server::StatusReport;
use pilotage_spec::{Digest, Release, ReleaseId, Version, Workload};

use crate::arguments::Simulate;
use crate::commands::Session;
use crate::connect;
use crate::failure::Failure;
use crate::place::environment;

/// What stands for the stable version where nobody says which one serves.
const PLACEHOLDER: &str = "0.0.0-stable";

pub async fn of(asked: &Simulate, session: &Session) -> Result<Plan, Failure> {
    let candidate: Version = asked.version.parse()?;
    let project = session.place.project()?;
    let (service, _) = project.service(&asked.service)?;
    let (environment_name, environment) = environment(&project, asked.env.as_deref())?;
    let named = asked.strategy.as_deref().unwrap_or(environment.strategy.as_str());
    let (strategy_name, strategy) = project.strategy(named)?;
    let workload = Workload { environment: environment_name.clone(), service: service.clone() };
    let missing = || Failure::usage(format!("{workload} is not in the file"));
    let instance = project.instance(environment_name, service).ok_or_else(missing)?;
    let replicas = project.replicas(environment_name, service).ok_or_else(missing)?;
    let stable = stable(asked, &workload, &candidate, session).await?;
    let release = |version: Version, digest: u8| Release {
        id: ReleaseId { version, digest: Digest::from_bytes([digest; 32]) },
        instance: instance.clone(),
    };
    let listen = SocketAddr::new(environment.listen, 0);
    let route = project.exposure(environment_name, service).unwrap_or_default().settings;
    let plan = Plan::new(PlanRequest {
        candidate: release(candidate, 1),
        stable: Some(release(stable, 2)),
        replicas,
        stable_replicas: replicas,
        listen,
        stable_listen: Some(listen),
        stable_route: Some(route.clone()),
        route,
        edge: None,
        strategy_name: strategy_name.clone(),
        strategy: strategy.clone(),
        policy: environment.policy.clone(),
        prometheus: environment.prometheus.clone(),
        purpose: Purpose::Deploy,
        workload,
    });
    plan.map_err(|error| Failure::usage(error.to_string()))
}

/// The version that serves before: as said, or as a running server serves, or a placeholder.
async fn stable(
    asked: &Simulate,
    workload: &Workload,
    candidate: &Version,
    session: &Session,
) -> Result<Version, Failure> {
    if let Some(named) = &asked.stable {
        let stable: Version = named.parse()?;
        if stable == *candidate {
            return Err(Failure::usage(format!("{stable} cannot replace itself"))
                .hint("name another version with --stable"));
        }
        return Ok(stable);
    }
    let served = served(workload, session).await?.filter(|served| served != candidate);
    match served {
        Some(served) => Ok(served),
        None => Ok(PLACEHOLDER.parse()?),
    }
}

async fn served(workload: &Workload, session: &Session) -> Result<Option<Version>, Failure> {
    // Nothing is started for it.
    let Some(client) = connect::connect_only(&session.place).await? else { return Ok(None) };
    let Workload { environment, service } = workload;
    let report: StatusReport =
        client.get(&format!("/v1/status?environment={environment}&service={service}")).await?;
    Ok(report.workloads.into_iter().find_map(|workload| workload.version))
}
