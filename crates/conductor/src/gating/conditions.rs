//! What the team's own conditions say.

use pilotage_engine::Plan;
use pilotage_engine::gate::{ConditionDecision, ConditionFact, GateFacts, counted_approvals};
use pilotage_engine::judge::Known;
use pilotage_engine::plan::Step;
use pilotage_policy::{self as policy, Condition, Decision, INPUT_FORMAT, Input};
use pilotage_spec::{ConditionName, PolicyCondition, Project};

/// Works out the conditions that the policy names, over what is known by now. One that the file does not have is left out,
/// which the gate takes for what it is.
pub(super) async fn facts(plan: &Plan, project: &Project, known: &GateFacts) -> Vec<ConditionFact> {
    let names = &plan.request.policy.conditions;
    let written: Vec<(ConditionName, PolicyCondition)> =
        names.iter().filter_map(|name| Some((name.clone(), project.conditions.get(name)?.clone()))).collect();
    let Some(input) = input(plan, known).filter(|_| !written.is_empty()) else { return Vec::new() };
    // An expression may be long at it; nothing else waits for it.
    let decided = tokio::task::spawn_blocking(move || {
        let document = input.to_json();
        let decide = |(name, condition): (ConditionName, PolicyCondition)| ConditionFact {
            name,
            decision: decide(&condition, &document),
        };
        written.into_iter().map(decide).collect()
    });
    decided.await.unwrap_or_default()
}

fn decide(condition: &PolicyCondition, document: &serde_json::Value) -> ConditionDecision {
    match Condition::compile(&condition.when).map(|compiled| compiled.evaluate(document)) {
        Ok(Decision::Allow) => ConditionDecision::Allow,
        Ok(Decision::Deny { reason }) => ConditionDecision::Deny(format!("{} ({reason})", condition.message)),
        Ok(Decision::Error { reason }) => ConditionDecision::Error(reason),
        Err(error) => ConditionDecision::Error(error.to_string()),
    }
}

/// What conditions can ask about; `None` while the time is not known.
fn input(plan: &Plan, known: &GateFacts) -> Option<Input> {
    let request = &plan.request;
    let digest = &request.candidate.id.digest;
    let passed_in = known.passed.as_ref().map(|passed| {
        let same = passed.iter().filter(|passed| passed.digest == *digest);
        let mut names: Vec<String> = same.map(|passed| passed.environment.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        names
    });
    let rehearsed = known.rehearsals.as_ref().map(|all| all.iter().any(|one| one.digest == *digest));
    let approvals = counted_approvals(plan, known).map(|people| {
        let approval = |person: pilotage_spec::Identity| policy::Approval {
            principal: person.principal,
            groups: person.groups.into_iter().collect(),
        };
        people.into_iter().map(approval).collect()
    });
    let ticket = match &known.ticket {
        Known::Value(ticket) => Some(policy::Ticket { key: ticket.key.clone(), state: ticket.state.clone() }),
        Known::NotAsked | Known::Unknown(_) => None,
    };
    Some(Input {
        format: INPUT_FORMAT,
        plan: planned(plan),
        facts: policy::Facts {
            author: known.author.as_ref().map(|author| author.principal.to_string()),
            requester: known.requester.as_ref().map(policy::Requester::from),
            approvals,
            ticket,
            rehearsed,
            passed_in,
        },
        now: policy::Now::at(known.now?),
    })
}

fn planned(plan: &Plan) -> policy::Plan {
    let request = &plan.request;
    let shares = plan.steps.iter().filter_map(|step| match step {
        // Rounded up, so that no share looks smaller than it is.
        Step::Route(split) => Some(split.share(plan.candidate()).div_ceil(100)),
        _ => None,
    });
    policy::Plan {
        service: request.workload.service.to_string(),
        environment: request.workload.environment.to_string(),
        version: plan.candidate().to_string(),
        from: plan.stable().map(ToString::to_string),
        strategy: policy::Strategy {
            name: request.strategy_name.to_string(),
            kind: request.strategy.kind.name().to_owned(),
            shares: shares.collect(),
            watch_seconds: request.strategy.watch.as_secs(),
        },
        replicas: request.replicas,
    }
}
