//! The story of a deployment in plain words, from the journal alone; and what a gate is for.

use std::time::Duration;

use pilotage_engine::gate::{self, GateOutcome, GateResult};
use pilotage_engine::judge::{self, Case, Finding, Reading, Verdict};
use pilotage_engine::plan::{Check, Step};
use pilotage_engine::{
    ActionResult, Cause, Deployment, DeploymentEvent, DeploymentId, Direction, FoldError, Opinion, Outcome,
    Purpose, Request,
};
use pilotage_spec::{Timestamp, format_duration};
use serde::{Deserialize, Serialize};

use crate::time::as_rfc3339;
use crate::{DeploymentRecord, Recorded};

/// The story of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// Which.
    pub id: DeploymentId,
    /// What was to happen, in a sentence.
    pub title: String,
    /// Who asked for it, and how, in a sentence.
    pub asked: String,
    /// What happened, in order.
    pub told: Vec<Told>,
    /// How it ended, or where it stands, in a sentence.
    pub ending: String,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When.
    #[serde(with = "as_rfc3339")]
    pub at: Timestamp,
    /// What, in a sentence.
    pub text: String,
    /// What stands behind it, each in a sentence.
    pub notes: Vec<String>,
}

/// What a gate is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateWords {
    /// Its id.
    pub id: String,
    /// What it asks and why.
    pub purpose: String,
}

/// Every gate there is, with what it is for.
pub fn gates() -> Vec<GateWords> {
    let words =
        |gate: &dyn gate::Gate| GateWords { id: gate.id().to_owned(), purpose: gate.purpose().to_owned() };
    gate::all().into_iter().map(words).collect()
}

/// Tells the story of a deployment.
///
/// # Errors
/// Fails if no deployment can have had that history.
pub fn explain(record: &DeploymentRecord) -> Result<Explanation, FoldError> {
    let deployment = &record.deployment;
    let mut told = Vec::new();
    let mut so_far: Option<Deployment> = None;
    for Recorded { at, actor, event, .. } in &record.history {
        let Some(before) = so_far.as_mut() else {
            so_far = Some(Deployment::replay([(event, *at)])?);
            continue;
        };
        told.extend(tell(before, event, *at, actor));
        before.apply(event, *at)?;
    }
    Ok(Explanation {
        id: record.id,
        title: title(record.id, deployment),
        asked: format!(
            "{} asked for it at {}: `{}`",
            record.author(),
            crate::rfc3339(deployment.started_at),
            deployment.command
        ),
        told,
        ending: ending(deployment),
    })
}

fn title(id: DeploymentId, deployment: &Deployment) -> String {
    let request = &deployment.plan.request;
    let (environment, service) = (&request.workload.environment, &request.workload.service);
    let candidate = deployment.plan.candidate();
    let strategy = &request.strategy_name;
    match (deployment.plan.stable(), request.purpose) {
        (None, _) => {
            format!("{id} was to bring {service} {candidate} to {environment}, where nothing served before")
        }
        (Some(stable), Purpose::Restore) => {
            format!("{id} was to take {service} in {environment} from {stable} back to {candidate}")
        }
        (Some(stable), Purpose::Rehearse) => {
            format!("{id} was to rehearse the way back of {service} {candidate} to {stable} in {environment}")
        }
        (Some(stable), Purpose::RehearseServing) => {
            format!("{id} was to rehearse the way back of {service} {stable} to {candidate} in {environment}")
        }
        (Some(stable), Purpose::Deploy) => format!(
            "{id} was to take {service} in {environment} from {stable} to {candidate} by the strategy `{strategy}`"
        ),
    }
}

fn tell(before: &Deployment, event: &DeploymentEvent, at: Timestamp, actor: &str) -> Option<Told> {
    let course = &before.course;
    let step = course.step().map(ToString::to_string).unwrap_or_default();
    let took = at.since(course.since);
    let (text, notes) = match event {
        DeploymentEvent::Started { .. } | DeploymentEvent::Intended { .. } => return None,
        DeploymentEvent::GatesChecked { results, .. } => gates_told(results),
        DeploymentEvent::Stated { opinion, by, reason, .. } => {
            let what = match opinion {
                Opinion::Approve => "approved it",
                Opinion::Reject => "rejected it",
                Opinion::Withdraw => "took back what they had said of it",
            };
            (format!("{by} {what}"), reason.iter().cloned().collect())
        }
        DeploymentEvent::Reminded { missing } => {
            ("those who can let it pass were reminded".to_owned(), missing.clone())
        }
        DeploymentEvent::Executed { result: ActionResult::Done, .. } => {
            let tries =
                if course.attempts > 1 { format!(", at try {}", course.attempts) } else { String::new() };
            (format!("{}: done in {}{tries}", step, seconds(took)), Vec::new())
        }
        DeploymentEvent::Executed { result: ActionResult::Failed(failure), .. } => {
            (format!("{step}: failed at try {}", course.attempts), vec![failure.reason.clone()])
        }
        DeploymentEvent::HealthChecked { verdict, reading, .. } => {
            checked(before, *verdict, reading.as_deref(), took)
        }
        DeploymentEvent::Requested { request, reason } => {
            (format!("{actor} asked to {}", request_words(*request)), reason.iter().cloned().collect())
        }
        DeploymentEvent::Alerted { alert } => (
            format!("an alert came by the hook `{}`: {}", alert.hook, alert.alert.summary),
            alert.alert.labels.iter().map(|(name, value)| format!("{name}: {value}")).collect(),
        ),
        DeploymentEvent::Adopted => {
            ("the control plane had been away, looked at what is there, and went on".to_owned(), Vec::new())
        }
        DeploymentEvent::ClockStepped { by_micros } => (
            format!(
                "the clock was set {} by {}; watches take as long as before",
                if *by_micros < 0 { "back" } else { "forward" },
                format_duration(Duration::from_secs(by_micros.unsigned_abs() / 1_000_000))
            ),
            Vec::new(),
        ),
        DeploymentEvent::RollbackStarted { cause, steps } => rollback(cause, steps),
        DeploymentEvent::Completed { .. } => return None,
    };
    Some(Told { at, text, notes })
}

fn gates_told(results: &[GateResult]) -> (String, Vec<String>) {
    let open = results.iter().filter(|gate| !gate.outcome.lets_pass()).count();
    let text = match (results.len(), open) {
        (0, _) => "no gate applies".to_owned(),
        (1, 0) => "the gate passed".to_owned(),
        (all, 0) => format!("all {all} gates passed"),
        (all, open) => format!("{open} of {all} gates {}", verb(results)),
    };
    let note = |gate: &GateResult| {
        let remedy = gate.remedy.as_ref().map(|remedy| format!("; {remedy}")).unwrap_or_default();
        format!("gate `{}` {}: {}{remedy}", gate.gate, gate_word(gate.outcome), gate.finding)
    };
    (text, results.iter().map(note).collect())
}

/// What gates that do not pass do, taken together.
fn verb(results: &[GateResult]) -> &'static str {
    let has = |outcome| results.iter().any(|gate| gate.outcome == outcome);
    if has(GateOutcome::Refused) {
        "refused"
    } else if has(GateOutcome::Error) {
        "cannot tell"
    } else {
        "wait"
    }
}

/// What a gate decides, in a word or two.
pub fn gate_word(outcome: GateOutcome) -> &'static str {
    match outcome {
        GateOutcome::Passed => "passed",
        GateOutcome::BrokenGlass => "broken",
        GateOutcome::Waiting => "waits",
        GateOutcome::Refused => "refused",
        GateOutcome::Error => "cannot tell",
    }
}

fn checked(
    before: &Deployment,
    verdict: Verdict,
    reading: Option<&Reading>,
    took: Duration,
) -> (String, Vec<String>) {
    let word = match verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "inconclusive",
    };
    let text = match before.course.step() {
        Some(Step::Check { version, check: Check::Ready { .. } }) => {
            format!("the instances of {version} were ready after {}", seconds(took))
        }
        Some(Step::Watch { version, soak, .. }) => {
            let watch = if *soak { "soak" } else { "watch" };
            format!("the {watch} of {version} ended after {} with the verdict {word}", seconds(took))
        }
        Some(Step::Conclude) => "the new version has won the trial".to_owned(),
        Some(Step::Hold) => format!("the hold ended after {}", seconds(took)),
        step => {
            let step = step.map(|step| format!(" during `{step}`")).unwrap_or_default();
            format!("the judge spoke{step}: {word}")
        }
    };
    let findings = reading.map(|reading| judge::judge(&Case::of(&before.plan), reading).findings);
    let telling = |finding: &Finding| verdict != Verdict::Fail || finding.verdict == Verdict::Fail;
    let words =
        |finding: Finding| format!("{} ({}): {}", finding.trigger, finding_word(&finding), finding.words);
    (text, findings.unwrap_or_default().into_iter().filter(telling).map(words).collect())
}

fn finding_word(finding: &Finding) -> &'static str {
    match finding.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail if finding.dry_run => "would fail: dry run",
        Verdict::Fail => "fail",
        Verdict::Inconclusive => "too little to tell",
    }
}

fn request_words(request: Request) -> &'static str {
    match request {
        Request::Promote => "let it go on",
        Request::PromoteFully => "skip every watch and hold but the soak",
        Request::Abort => "take it back",
        Request::Pause => "pause",
        Request::Resume => "go on",
    }
}

fn rollback(cause: &Cause, steps: &[Step]) -> (String, Vec<String>) {
    let text = match cause {
        Cause::Verdict { reason } => format!("it was taken back, because production disagreed: {reason}"),
        Cause::Asked { reason: Some(reason) } => format!("it was taken back, as asked: {reason}"),
        Cause::Asked { reason: None } => "it was taken back, as asked".to_owned(),
        Cause::Alert { alert } => format!("it was taken back, because of an alert: {}", alert.words()),
        Cause::StepFailed { reason } => {
            format!("it was taken back, because a step could not be done: {reason}")
        }
        Cause::Concluded { reason } => reason.clone(),
    };
    let way = if cause.is_planned() { "what is left" } else { "the way back" };
    (text, vec![format!("{way}: {}", list(steps))])
}

fn list(steps: &[Step]) -> String {
    steps.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn ending(deployment: &Deployment) -> String {
    let candidate = deployment.plan.candidate();
    let Some((outcome, reason, at)) = &deployment.end else {
        let step = deployment.course.step().map(ToString::to_string).unwrap_or_default();
        let way = if deployment.course.direction == Direction::Back { "on its way back, " } else { "" };
        let paused = if deployment.paused { ", and paused" } else { "" };
        return format!("it is under way: {way}at `{step}`{paused}");
    };
    let took = seconds(at.since(deployment.started_at));
    let because = reason.as_ref().map(|reason| format!(", because {reason}")).unwrap_or_default();
    let serving = match deployment.plan.stable() {
        Some(stable) => format!("{stable} serves everybody"),
        None => "nothing serves, as before".to_owned(),
    };
    match outcome {
        Outcome::Succeeded => format!("it succeeded after {took}: {candidate} serves everybody"),
        Outcome::RolledBack => format!("it was rolled back after {took}{because}; {serving}"),
        Outcome::Failed if deployment.traffic_moved => {
            format!("it failed after {took} and needs a person{because}")
        }
        Outcome::Failed => format!("it failed after {took}{because}; {serving}"),
        Outcome::Refused => format!("it was refused, and nothing was done{because}"),
        Outcome::Concluded => {
            let showed = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("it was concluded as planned after {took}{showed}; {serving}")
        }
    }
}

/// A duration to the millisecond below a second, to the tenth above.
fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        return format!("{} ms", duration.as_millis());
    }
    if duration < Duration::from_secs(60) {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    format_duration(Duration::from_secs(duration.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn text(explanation: &Explanation) -> String {
        let mut lines = vec![explanation.title.clone(), explanation.asked.clone()];
        for told in &explanation.told {
            lines.push(format!("{} {}", crate::rfc3339(told.at), told.text));
            lines.extend(told.notes.iter().map(|note| format!("    {note}")));
        }
        lines.push(explanation.ending.clone());
        lines.join("\n")
    }

    #[test]
    fn a_canary_that_came_back_is_told_with_its_numbers() {
        insta::assert_snapshot!(text(&explain(&testing::record(12)).unwrap()));
    }

    #[test]
    fn a_deployment_under_way_is_told_up_to_now() {
        let explanation = explain(&testing::record(5)).unwrap();
        insta::assert_snapshot!(explanation.ending, @"it is under way: at `route 10 % to 1.2.0, 90 % to 1.1.0`");
    }

    #[test]
    fn every_gate_is_explained() {
        assert!(gates().iter().all(|gate| gate.purpose.ends_with('.')));
    }
}
