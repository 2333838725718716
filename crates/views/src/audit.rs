//! The audit log: one line for each event of the journal, in the same twelve fields whatever it is about.

use std::collections::{BTreeMap, HashMap};

use pilotage_engine::gate::GateOutcome;
use pilotage_engine::judge::{self, Case, Verdict};
use pilotage_engine::{ActionResult, Deployment, DeploymentEvent, Opinion, Outcome, Request};
use pilotage_journal::{Event, StreamId};
use pilotage_spec::{PrincipalKind, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::time::as_rfc3339;
use crate::workload::payload;
use crate::{AlertReceived, Consequence, EnvironmentEvent, Ordered, RecordError, WorkloadEvent, from_event};

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditLine {
    /// When it was recorded.
    #[serde(with = "as_rfc3339")]
    pub timestamp: Timestamp,
    /// What happened, as `noun.verb`.
    pub event: String,
    /// Who caused it.
    pub user: String,
    /// Where; `null` for what belongs to no environment.
    pub environment: Option<String>,
    /// What was acted on.
    pub service: Option<String>,
    /// The version that it is about.
    pub version: Option<String>,
    /// What was typed or called.
    pub command: Option<String>,
    /// The change ticket, where one was given.
    pub change_ticket: Option<String>,
    /// Who approved it.
    pub approvers: Vec<String>,
    /// How it ended, in one word.
    pub outcome: String,
    /// Whether a rollback of this deployment had been triggered by then.
    pub rollback_triggered: bool,
    /// How long it took; `null` for what takes no time.
    pub duration_seconds: Option<f64>,
    /// The event's name, unique among all journals.
    pub id: String,
    /// Its place in the journal.
    pub seq: u64,
    /// What is particular to the event.
    pub detail: Value,
}

/// Folds events into audit lines. Events of one deployment must come from its first one on.
#[derive(Debug, Default)]
pub struct AuditFold {
    deployments: HashMap<StreamId, Deployment>,
}

impl AuditFold {
    /// The line for the next event.
    ///
    /// # Errors
    /// Fails on an event that this version does not know, or that cannot follow the ones before.
    pub fn line(&mut self, event: &Event) -> Result<AuditLine, RecordError> {
        match event.kind.as_str().split_once('.') {
            Some(("deployment", _)) => self.deployment(event),
            Some(("workload", _)) => workload(event),
            Some(("environment", _)) => environment(event),
            Some(("alert", _)) => alert(event),
            _ => Ok(other(event)),
        }
    }

    fn deployment(&mut self, event: &Event) -> Result<AuditLine, RecordError> {
        let fact = from_event(event)?.event;
        let began = self.deployments.get(&event.stream).map(|deployment| deployment.course.since);
        let impossible =
            |reason: String| RecordError::Payload { seq: event.seq, kind: event.kind.to_string(), reason };
        let deployment = match self.deployments.remove(&event.stream) {
            None => {
                Deployment::replay([(&fact, event.time)]).map_err(|error| impossible(error.to_string()))?
            }
            Some(mut deployment) => {
                deployment.apply(&fact, event.time).map_err(|error| impossible(error.to_string()))?;
                deployment
            }
        };
        let request = &deployment.plan.request;
        let line = AuditLine {
            environment: Some(request.workload.environment.to_string()),
            service: Some(request.workload.service.to_string()),
            version: Some(deployment.plan.candidate().to_string()),
            command: Some(deployment.command.clone()),
            change_ticket: deployment.asked.ticket.clone(),
            approvers: approvers(&deployment),
            outcome: outcome(&fact).to_owned(),
            rollback_triggered: deployment.cause.as_ref().is_some_and(|cause| !cause.is_planned()),
            duration_seconds: duration_seconds(&fact, event.time, began, deployment.started_at),
            detail: detail(&event.stream, &deployment, &fact, &event.payload),
            ..other(event)
        };
        // What has ended gets no more events, and need not be remembered.
        if deployment.end.is_none() {
            self.deployments.insert(event.stream.clone(), deployment);
        }
        Ok(line)
    }
}

/// The people whose approval of the plan stands. What programs say counts for nothing.
fn approvers(deployment: &Deployment) -> Vec<String> {
    let mut latest = BTreeMap::new();
    for said in deployment.statements.iter().filter(|said| said.plan_hash == deployment.plan_hash) {
        if said.by.kind != PrincipalKind::Person {
            continue;
        }
        latest.insert(&said.by.principal, said.opinion);
    }
    latest.retain(|_, opinion| *opinion == Opinion::Approve);
    latest.into_keys().map(ToString::to_string).collect()
}

fn outcome(fact: &DeploymentEvent) -> &'static str {
    match fact {
        DeploymentEvent::Started { .. } => "started",
        DeploymentEvent::GatesChecked { results, .. } => {
            let has = |outcome| results.iter().any(|gate| gate.outcome == outcome);
            match results.iter().all(|gate| gate.outcome.lets_pass()) {
                true if has(GateOutcome::BrokenGlass) => "broken_glass",
                true => "passed",
                false if has(GateOutcome::Refused) => "refused",
                false if has(GateOutcome::Error) => "error",
                false => "waiting",
            }
        }
        DeploymentEvent::Stated { opinion, .. } => match opinion {
            Opinion::Approve => "approved",
            Opinion::Reject => "rejected",
            Opinion::Withdraw => "withdrawn",
        },
        DeploymentEvent::Reminded { .. } => "reminded",
        DeploymentEvent::Intended { .. } => "intended",
        DeploymentEvent::Executed { result: ActionResult::Done, .. } => "done",
        DeploymentEvent::Executed { result: ActionResult::Failed(_), .. } => "failed",
        DeploymentEvent::HealthChecked { verdict, .. } => match verdict {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Inconclusive => "inconclusive",
        },
        DeploymentEvent::Requested { request, .. } => match request {
            Request::Promote => "promote",
            Request::PromoteFully => "promote_fully",
            Request::Abort => "abort",
            Request::Pause => "pause",
            Request::Resume => "resume",
        },
        DeploymentEvent::Alerted { .. } => "alerted",
        DeploymentEvent::Adopted => "resumed",
        DeploymentEvent::RollbackStarted { cause, .. } if cause.is_planned() => "concluding",
        DeploymentEvent::ClockStepped { .. } => "clock_stepped",
        DeploymentEvent::RollbackStarted { .. } => "rolling_back",
        DeploymentEvent::Completed { outcome, .. } => match outcome {
            Outcome::Succeeded => "succeeded",
            Outcome::RolledBack => "rolled_back",
            Outcome::Failed => "failed",
            Outcome::Refused => "refused",
            Outcome::Concluded => "concluded",
        },
    }
}

fn duration_seconds(
    fact: &DeploymentEvent,
    at: Timestamp,
    step_began: Option<Timestamp>,
    started_at: Timestamp,
) -> Option<f64> {
    match fact {
        DeploymentEvent::Executed { duration_ms, .. } => {
            Some(std::time::Duration::from_millis(*duration_ms).as_secs_f64())
        }
        DeploymentEvent::HealthChecked { .. } => step_began.map(|began| at.since(began).as_secs_f64()),
        DeploymentEvent::RollbackStarted { .. } | DeploymentEvent::Completed { .. } => {
            Some(at.since(started_at).as_secs_f64())
        }
        _ => None,
    }
}

/// The event's own particulars under the deployment's name. The plan, and what tests have made of requests, are told in words: the
/// whole of them is in the journal.
fn detail(stream: &StreamId, deployment: &Deployment, fact: &DeploymentEvent, payload: &Value) -> Value {
    let mut detail = json!({ "deployment": stream.as_str().trim_start_matches("deployment/") });
    match fact {
        DeploymentEvent::Started { plan, .. } => {
            let steps: Vec<String> = plan.steps.iter().map(ToString::to_string).collect();
            detail["from"] = json!(plan.stable());
            detail["strategy"] = json!(plan.request.strategy_name);
            detail["artifact"] = json!(plan.request.candidate.id.digest);
            detail["plan_hash"] = json!(plan.hash());
            detail["steps"] = json!(steps);
        }
        DeploymentEvent::RollbackStarted { cause, steps } => {
            let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
            detail["cause"] = json!(cause);
            detail["steps"] = json!(steps);
        }
        DeploymentEvent::HealthChecked { reading: Some(reading), .. } => {
            copy(payload, &mut detail);
            if let Some(numbers) = detail["reading"].as_object_mut() {
                numbers.remove("tests");
            }
            detail["findings"] = json!(judge::judge(&Case::of(&deployment.plan), reading).findings);
        }
        _ => copy(payload, &mut detail),
    }
    detail
}

fn copy(payload: &Value, detail: &mut Value) {
    for (name, value) in payload.as_object().into_iter().flatten() {
        if name != "fact" {
            detail[name] = value.clone();
        }
    }
}

fn workload(event: &Event) -> Result<AuditLine, RecordError> {
    let fact: WorkloadEvent = payload(event)?;
    let mut names = event.stream.as_str().split('/').skip(1).map(str::to_owned);
    let (environment, service) = (names.next(), names.next());
    let line = AuditLine { environment, service, ..other(event) };
    Ok(match fact {
        WorkloadEvent::Serving(served) => AuditLine {
            version: Some(served.release.id.version.to_string()),
            detail: json!({
                "deployment": served.deployment,
                "replicas": served.replicas,
                "listen": served.listen,
                "artifact": served.release.id.digest,
            }),
            ..line
        },
        WorkloadEvent::Rehearsed(rehearsed) => AuditLine {
            version: Some(rehearsed.release.version.to_string()),
            detail: json!({
                "deployment": rehearsed.deployment,
                "artifact": rehearsed.release.digest,
                "way_back_ms": rehearsed.took.as_millis(),
            }),
            duration_seconds: Some(rehearsed.took.as_secs_f64()),
            outcome: "rehearsed".to_owned(),
            ..line
        },
        WorkloadEvent::Rerouted { route, command } => {
            AuditLine { command: Some(command), detail: json!({ "route": route }), ..line }
        }
        WorkloadEvent::SecretsRotated { secrets, instances } => {
            AuditLine { detail: json!({ "secrets": secrets, "instances": instances }), ..line }
        }
        WorkloadEvent::Ordered(Ordered { controller, order, reason, command, failure }) => {
            let outcome = if failure.is_some() { "failed" } else { order.name() };
            let detail =
                json!({ "controller": controller, "order": order, "reason": reason, "failure": failure });
            AuditLine { outcome: outcome.to_owned(), command: Some(command), detail, ..line }
        }
    })
}

fn environment(event: &Event) -> Result<AuditLine, RecordError> {
    let EnvironmentEvent::EdgeSet { edge, command } = payload(event)?;
    let environment = event.stream.as_str().strip_prefix("environment/").map(str::to_owned);
    Ok(AuditLine { environment, command: Some(command), detail: json!({ "edge": edge }), ..other(event) })
}

fn alert(event: &Event) -> Result<AuditLine, RecordError> {
    let AlertReceived { workload, consequence, .. } = AlertReceived::from_event(event)?;
    let (environment, service) =
        workload.map(|workload| (workload.environment.to_string(), workload.service.to_string())).unzip();
    let outcome = consequence.word().to_owned();
    let rollback_triggered = matches!(consequence, Consequence::TakenBack { .. });
    Ok(AuditLine { environment, service, outcome, rollback_triggered, ..other(event) })
}

/// A line in which only what every event has is filled in.
fn other(event: &Event) -> AuditLine {
    let service = event.stream.as_str().strip_prefix("release/").map(str::to_owned);
    let version = event.payload.get("version").and_then(Value::as_str).map(str::to_owned);
    AuditLine {
        timestamp: event.time,
        event: event.kind.to_string(),
        user: event.actor.clone(),
        environment: None,
        version: version.filter(|_| service.is_some()),
        service,
        command: None,
        change_ticket: None,
        approvers: Vec::new(),
        outcome: "recorded".to_owned(),
        rollback_triggered: false,
        duration_seconds: None,
        id: event.id.to_string(),
        seq: event.seq,
        detail: event.payload.clone(),
    }
}

#[cfg(test)]
mod tests {
    use pilotage_journal::{Append, Expected, Journal, NewEvent};
    use pilotage_spec::{ControllerOrder, RolloutController, Workload};

    use super::*;
    use crate::{deployment_stream, new_event, release_event, testing, workload_stream};

    /// The story, a release and a serving workload, through a real journal.
    async fn lines() -> Vec<AuditLine> {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.db")).unwrap();
        let append = |stream: &str, events: Vec<NewEvent>| {
            journal.append(Append::new(stream.parse().unwrap(), Expected::Any, "anna", events))
        };
        let served = testing::served().served.remove(0).1;
        append("release/api", vec![release_event(&served.release.id).unwrap()]).await.unwrap();
        let stream = deployment_stream(pilotage_engine::DeploymentId(7)).unwrap();
        let events = testing::story().iter().map(|(_, event)| new_event(event).unwrap()).collect();
        append(stream.as_str(), events).await.unwrap();
        let serving = WorkloadEvent::Serving(Box::new(served)).new_event().unwrap();
        append("workload/production/api", vec![serving]).await.unwrap();
        let mut fold = AuditFold::default();
        let events = journal.after(0, 100).unwrap();
        events.iter().map(|event| fold.line(event).unwrap()).collect()
    }

    #[tokio::test]
    async fn every_line_has_exactly_the_agreed_fields() {
        let expected = [
            "timestamp",
            "event",
            "user",
            "environment",
            "service",
            "version",
            "command",
            "change_ticket",
            "approvers",
            "outcome",
            "rollback_triggered",
            "duration_seconds",
            "id",
            "seq",
            "detail",
        ];
        for line in lines().await {
            let value = serde_json::to_value(&line).unwrap();
            let fields: Vec<&String> = value.as_object().unwrap().keys().collect();
            assert_eq!(fields, expected);
            let timestamp = value["timestamp"].as_str().unwrap();
            assert!(
                timestamp.ends_with('Z') && timestamp.len() == "2026-07-01T09:30:00.125Z".len(),
                "{timestamp}"
            );
        }
    }

    #[tokio::test]
    async fn a_rollback_can_be_read_from_the_lines() {
        let told: Vec<String> = lines()
            .await
            .iter()
            .map(|line| {
                let (environment, service) = (line.environment.as_deref(), line.service.as_deref());
                format!(
                    "{:2} {:28} {:10} {:4} {:6} {:12} rollback={}",
                    line.seq,
                    line.event,
                    environment.unwrap_or("-"),
                    service.unwrap_or("-"),
                    line.version.as_deref().unwrap_or("-"),
                    line.outcome,
                    line.rollback_triggered,
                )
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[tokio::test]
    async fn an_order_to_a_controller_says_who_what_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal.db")).unwrap();
        let workload =
            Workload { environment: "production".parse().unwrap(), service: "api".parse().unwrap() };
        let ordered = Ordered {
            controller: RolloutController::Flagger,
            order: ControllerOrder::PromoteFully,
            reason: Some("measured by hand".to_owned()),
            command: "pilotage rollout promote-fully api".to_owned(),
            failure: None,
        };
        let failed = Ordered { failure: Some("it is gone".to_owned()), ..ordered.clone() };
        for ordered in [ordered, failed] {
            let event = WorkloadEvent::Ordered(ordered).new_event().unwrap();
            let stream = workload_stream(&workload).unwrap();
            journal.append(Append::new(stream, Expected::Any, "anna", vec![event])).await.unwrap();
        }
        let mut fold = AuditFold::default();
        let events = journal.after(0, 100).unwrap();
        let lines: Vec<AuditLine> = events.iter().map(|event| fold.line(event).unwrap()).collect();
        let outcomes: Vec<&str> = lines.iter().map(|line| line.outcome.as_str()).collect();
        assert_eq!(outcomes, ["promote_fully", "failed"]);
        let AuditLine { event, user, environment, service, command, detail, .. } = &lines[0];
        assert_eq!((event.as_str(), user.as_str()), ("workload.ordered", "anna"));
        assert_eq!((environment.as_deref(), service.as_deref()), (Some("production"), Some("api")));
        assert_eq!(command.as_deref(), Some("pilotage rollout promote-fully api"));
        assert_eq!(
            (&detail["controller"], &detail["reason"]),
            (&json!("flagger"), &json!("measured by hand"))
        );
        assert_eq!(lines[1].detail["failure"], "it is gone");
        assert!(crate::workload_record(&journal.reader(), &workload).unwrap().served.is_empty());
    }

    #[tokio::test]
    async fn the_detail_tells_the_plan_and_the_numbers() {
        let lines = lines().await;
        let details: Vec<&Value> = lines
            .iter()
            .filter(|line| line.event != "deployment.intended")
            .map(|line| &line.detail)
            .collect();
        insta::assert_json_snapshot!(details);
    }
}
