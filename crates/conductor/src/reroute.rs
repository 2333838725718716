//! Applies what the file says of routes to what runs, without a deployment: routes are the environment's, not the release's.

use pilotage_journal::{Append, Expected};
use pilotage_spec::{EdgeSettings, EnvironmentName, Project, RouteSettings, Workload};
use pilotage_views::{self as views, EnvironmentEvent, Served, WorkloadEvent};
use serde::{Deserialize, Serialize};

use crate::conductor::Inner;
use crate::{ConductorError, keeper, planning};

/// What is different about how a workload, or the address of an environment, is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rerouted {
    /// `environment/service`, or `environment`.
    pub what: String,
    /// Each change in words.
    pub changes: Vec<String>,
    /// Why nothing was changed now, and when it will be.
    pub later: Option<String>,
}

/// Records every difference, and puts it to work.
pub(crate) async fn reroute(
    inner: &Inner,
    project: &Project,
    actor: &str,
    command: &str,
) -> Result<Vec<Rerouted>, ConductorError> {
    let mut rerouted = Vec::new();
    for name in project.environments.keys() {
        let of_environment = reroute_environment(inner, project, name, actor, command).await?;
        rerouted.extend(of_environment);
    }
    Ok(rerouted)
}

async fn reroute_environment(
    inner: &Inner,
    project: &Project,
    name: &EnvironmentName,
    actor: &str,
    command: &str,
) -> Result<Vec<Rerouted>, ConductorError> {
    let mut rerouted = Vec::new();
    let mut served = Vec::new();
    for service in project.services.keys() {
        let workload = Workload { environment: name.clone(), service: service.clone() };
        if let Some(now) = inner.record(&workload)?.current().cloned() {
            served.push((workload, now));
        }
    }
    let edge = project.environments.get(name).and_then(|environment| environment.edge.as_ref());
    // An address at which nothing is served yet is set up by the first deployment to it.
    let used = edge.filter(|edge| served.iter().any(|(_, now)| now.listen == edge.listen));
    if let Some(edge) = used
        && let Some(append) = edge_set(inner, name, edge, actor, command)?
    {
        let known = views::edges(&inner.journal.reader(), name)?.remove(&edge.listen);
        let before = known.unwrap_or_else(|| EdgeSettings::plain(edge.listen));
        inner.journal.append(append).await?;
        let changes = differences(before.in_words(), edge.in_words());
        rerouted.push(Rerouted { what: name.to_string(), changes, later: None });
    }
    let edge_changed = !rerouted.is_empty();
    for (workload, now) in &served {
        let changed = reroute_workload(inner, project, workload, now, actor, command).await?;
        let here = edge_changed && edge.is_some_and(|edge| edge.listen == now.listen);
        if here || changed.as_ref().is_some_and(|changed| changed.later.is_none()) {
            keeper::put_right(inner, workload).await?;
        }
        rerouted.extend(changed);
    }
    Ok(rerouted)
}

async fn reroute_workload(
    inner: &Inner,
    project: &Project,
    workload: &Workload,
    served: &Served,
    actor: &str,
    command: &str,
) -> Result<Option<Rerouted>, ConductorError> {
    let exposure = project.exposure(&workload.environment, &workload.service).unwrap_or_default();
    let route = exposure.settings;
    let listen = planning::listen(inner, project, workload, Some(served))?;
    let changes = differences(served.route.in_words(), route.in_words());
    let later = if listen != served.listen {
        Some(format!("its address moves from {} to {listen}, with its next deployment", served.listen))
    } else if changes.is_empty() {
        return Ok(None);
    } else {
        let moving = inner.moving(workload)?;
        moving.map(|id| format!("{id} is moving it; ask again when that has ended"))
    };
    if later.is_none() {
        record(inner, workload, route, actor, command).await?;
    }
    Ok(Some(Rerouted { what: workload.to_string(), changes, later }))
}

async fn record(
    inner: &Inner,
    workload: &Workload,
    route: RouteSettings,
    actor: &str,
    command: &str,
) -> Result<(), ConductorError> {
    let event = WorkloadEvent::Rerouted { route: Box::new(route), command: command.to_owned() };
    let stream = views::workload_stream(workload)?;
    inner.journal.append(Append::new(stream, Expected::Any, actor, vec![event.new_event()?])).await?;
    Ok(())
}

/// The fact that an address is served like this, unless it is already.
pub(crate) fn edge_set(
    inner: &Inner,
    environment: &EnvironmentName,
    edge: &EdgeSettings,
    actor: &str,
    command: &str,
) -> Result<Option<Append>, ConductorError> {
    let known = views::edges(&inner.journal.reader(), environment)?;
    if known.get(&edge.listen) == Some(edge) {
        return Ok(None);
    }
    let event = EnvironmentEvent::EdgeSet { edge: Box::new(edge.clone()), command: command.to_owned() };
    let stream = views::environment_stream(environment)?;
    Ok(Some(Append::new(stream, Expected::Any, actor, vec![event.new_event()?])))
}

/// `limits.body: off → 10MiB`.
fn differences(before: Vec<(&str, String)>, after: Vec<(&str, String)>) -> Vec<String> {
    let pairs = before.into_iter().zip(after).filter(|(before, after)| before != after);
    pairs.map(|((key, before), (_, after))| format!("{key}: {before} → {after}")).collect()
}
