//! What gates may know, drawn together. What cannot be found out stays unknown, which passes nothing.

use pilotage_engine::gate::{self, Emergency, GateFacts, Serving};
use pilotage_engine::{Asked, Plan};
use pilotage_spec::{Identity, Policy, Project, Workload};

use super::{Subject, budget, conditions, dependencies, origin, scripts, tickets, windows};
use crate::conductor::{Inner, now};
use crate::{ConductorError, measure};

pub(crate) async fn gather(inner: &Inner, subject: &Subject<'_>) -> Result<GateFacts, ConductorError> {
    let Subject { plan, asked, statements } = *subject;
    let workload = &plan.request.workload;
    let project = match inner.registry.project() {
        Ok(project) => Some(project),
        Err(error) => {
            tracing::warn!(%error, "the file cannot be read: the gates cannot tell");
            None
        }
    };
    let traffic = match gate::wants_traffic(plan) {
        true => measure::current_traffic(inner, workload).await?,
        false => None,
    };
    let past = origin::past(inner, workload)?;
    let facts = GateFacts {
        now: Some(now()),
        confirmation: asked.confirmation.clone(),
        traffic,
        statements: statements.to_vec(),
        serving: Some(serving(inner, workload)?),
        passed: Some(past.passed),
        rehearsals: Some(past.rehearsals),
        earlier: origin::earlier(inner, plan)?,
        ..GateFacts::default()
    };
    match &project {
        Some(project) => with_project(inner, plan, asked, project, facts).await,
        None => Ok(facts),
    }
}

/// What the file has a part in.
async fn with_project(
    inner: &Inner,
    plan: &Plan,
    asked: &Asked,
    project: &Project,
    facts: GateFacts,
) -> Result<GateFacts, ConductorError> {
    let workload = &plan.request.workload;
    let who = |name: &str| inner.registry.identity(project, name, workload);
    let today = |identity: &Identity| who(identity.principal.as_str());
    // Who is not known any more is still whoever the credential said, with no role.
    let requester = asked.by.as_ref().map(|by| today(by).unwrap_or_else(|| without_roles(by)));
    let author = match origin::author(inner, &workload.service, &plan.request.candidate.id)? {
        Some(name) => {
            who(&name).or_else(|| name.parse().ok().map(Identity::person).map(|it| without_roles(&it)))
        }
        None => requester.clone(),
    };
    let reason = asked.emergency.clone();
    let emergency = reason.zip(requester.clone()).map(|(reason, by)| Emergency { by, reason });
    let policy = &plan.request.policy;
    let facts = GateFacts {
        policy: policy_now(project, workload),
        requester,
        author,
        approvers: inner.registry.approvers(project, workload),
        dependencies: dependencies::facts(inner, policy, project, workload).await?,
        failing: budget::failing(inner, plan).await,
        emergency,
        scripts: scripts::facts(inner, plan, project).await,
        ticket: tickets::fact(inner, asked, project).await,
        windows: windows::facts(inner, plan, project, now()).await,
        ..facts
    };
    let conditions = conditions::facts(plan, project, &facts).await;
    Ok(GateFacts { conditions, ..facts })
}

fn without_roles(identity: &Identity) -> Identity {
    Identity { roles: Default::default(), groups: Default::default(), ..identity.clone() }
}

fn policy_now(project: &Project, workload: &Workload) -> Option<Policy> {
    Some(project.environments.get(&workload.environment)?.policy.clone())
}

fn serving(inner: &Inner, workload: &Workload) -> Result<Serving, ConductorError> {
    Ok(match inner.record(workload)?.current() {
        Some(served) => Serving::Release(served.release.id.clone()),
        None => Serving::Nothing,
    })
}
