//! Applies what the file says of routes to what runs, without a deployment: routes are the environment's, not the release's.

use pilotage_journal::{Append, Expected};
use pilotage_spec::{EdgeSettings, EnvironmentName, Project, RouteSettings, Workload};
use pilotage_targets::TargetError;
use pilotage_views::{self as views, EnvironmentEvent, Served, WorkloadEvent};
use serde::{Deserialize, Serialize};

use crate::conductor::Inner;
use crate::{ConductorError, keeper, planning, traffic};

/// What is different about how a workload, or the address of an environment, is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rerouted {
    /// `environment/service`, or `environment`.
    pub what: String,
    /// Each change in words.
    pub changes: Vec<String>,
    /// What has come of it.
    #[serde(flatten)]
    pub effect: Effect,
}

/// What has come of a change in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
pub enum Effect {
    /// Requests are served by it.
    Now,
    /// Nothing yet.
    Later {
        /// Why, and when it will be.
        why: String,
    },
    /// Nothing: it cannot be so.
    Refused {
        /// Why, and what to do.
        why: String,
    },
}

/// Who wants it, and by which words.
#[derive(Clone, Copy)]
struct Asked<'a> {
    project: &'a Project,
    actor: &'a str,
    command: &'a str,
}

/// Records every difference that the target can bear, and puts it to work.
pub(crate) async fn reroute(
    inner: &Inner,
    project: &Project,
    actor: &str,
    command: &str,
) -> Result<Vec<Rerouted>, ConductorError> {
    let asked = Asked { project, actor, command };
    let mut rerouted = Vec::new();
    for (name, environment) in &project.environments {
        let served = served(inner, project, name)?;
        let edge = match &environment.edge {
            Some(edge) => reroute_edge(inner, name, edge, &served, asked).await?,
            None => None,
        };
        let edge_changed = edge.as_ref().is_some_and(|edge| edge.effect == Effect::Now);
        rerouted.extend(edge);
        for (workload, now) in &served {
            let changed = reroute_workload(inner, workload, now, asked).await?;
            let at_edge = environment.edge.as_ref().is_some_and(|edge| edge.listen == now.listen);
            if (edge_changed && at_edge) || changed.as_ref().is_some_and(|it| it.effect == Effect::Now) {
                keeper::put_right(inner, workload).await?;
            }
            rerouted.extend(changed);
        }
    }
    Ok(rerouted)
}

/// What serves in an environment.
fn served(
    inner: &Inner,
    project: &Project,
    environment: &EnvironmentName,
) -> Result<Vec<(Workload, Served)>, ConductorError> {
    let mut served = Vec::new();
    for service in project.services.keys() {
        let workload = Workload { environment: environment.clone(), service: service.clone() };
        if let Some(now) = inner.record(&workload)?.current().cloned() {
            served.push((workload, now));
        }
    }
    Ok(served)
}

/// Records how the address is served that services share. One at which nothing is served yet is set up by the first
/// deployment to it.
async fn reroute_edge(
    inner: &Inner,
    name: &EnvironmentName,
    edge: &EdgeSettings,
    served: &[(Workload, Served)],
    asked: Asked<'_>,
) -> Result<Option<Rerouted>, ConductorError> {
    let Some((workload, now)) = served.iter().find(|(_, now)| now.listen == edge.listen) else {
        return Ok(None);
    };
    let Some(append) = edge_set(inner, name, edge, asked.actor, asked.command)? else { return Ok(None) };
    let before = views::edges(&inner.journal.reader(), name)?.remove(&edge.listen);
    let before = before.unwrap_or_else(|| EdgeSettings::plain(edge.listen));
    let wanted = traffic::served_by(inner, now, &now.route, Some(edge));
    let effect = effect(inner.target.check_route(workload, &wanted).await);
    if effect == Effect::Now {
        inner.journal.append(append).await?;
    }
    let changes = differences(before.in_words(), edge.in_words());
    Ok(Some(Rerouted { what: name.to_string(), changes, effect }))
}

async fn reroute_workload(
    inner: &Inner,
    workload: &Workload,
    served: &Served,
    asked: Asked<'_>,
) -> Result<Option<Rerouted>, ConductorError> {
    let exposure = asked.project.exposure(&workload.environment, &workload.service).unwrap_or_default();
    let route = exposure.settings;
    let listen = planning::listen(inner, asked.project, workload, Some(served))?;
    let changes = differences(served.route.in_words(), route.in_words());
    let effect = if listen != served.listen {
        let why = format!("its address moves from {} to {listen}, with its next deployment", served.listen);
        Effect::Later { why }
    } else if changes.is_empty() {
        return Ok(None);
    } else if let Some(id) = inner.moving(workload)? {
        Effect::Later { why: format!("{id} is moving it; ask again when that has ended") }
    } else {
        let edge = views::edges(&inner.journal.reader(), &workload.environment)?.remove(&listen);
        let wanted = traffic::served_by(inner, served, &route, edge.as_ref());
        effect(inner.target.check_route(workload, &wanted).await)
    };
    if effect == Effect::Now {
        record(inner, workload, route, asked.actor, asked.command).await?;
    }
    Ok(Some(Rerouted { what: workload.to_string(), changes, effect }))
}

/// Nothing is recorded that the target would not have: it would be tried in vain for ever.
fn effect(checked: Result<(), TargetError>) -> Effect {
    match checked {
        Ok(()) => Effect::Now,
        Err(error) => Effect::Refused { why: error.to_string() },
    }
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
