//! How the services are that another one needs.

use pilotage_engine::gate::Dependency;
use pilotage_spec::{Policy, Project, ServiceName, Workload};

use crate::ConductorError;
use crate::conductor::Inner;

/// Asked only where the policy wants to know: the target has to be asked for each.
pub(super) async fn facts(
    inner: &Inner,
    policy: &Policy,
    project: &Project,
    workload: &Workload,
) -> Result<Option<Vec<Dependency>>, ConductorError> {
    if !policy.dependencies {
        return Ok(None);
    }
    let Some(service) = project.services.get(&workload.service) else { return Ok(None) };
    let mut dependencies = Vec::new();
    for needed in &service.needs {
        dependencies.push(dependency(inner, workload, needed).await?);
    }
    Ok(Some(dependencies))
}

async fn dependency(
    inner: &Inner,
    workload: &Workload,
    needed: &ServiceName,
) -> Result<Dependency, ConductorError> {
    let other = Workload { environment: workload.environment.clone(), service: needed.clone() };
    let none = Dependency { service: needed.clone(), wanted: 0, ready: 0, troubles: Vec::new() };
    let record = inner.record(&other)?;
    let Some(served) = record.current() else { return Ok(none) };
    let observed = inner.target.observe(&other).await?;
    let version = &served.release.id.version;
    let facts = crate::facts::facts(&observed, None, crate::conductor::now());
    Ok(Dependency {
        wanted: served.replicas,
        ready: facts.ready(version),
        troubles: facts.failures(version).to_vec(),
        ..none
    })
}
