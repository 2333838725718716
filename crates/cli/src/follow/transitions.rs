//! One line a transition.

use std::time::Duration;

use pilotage_engine::gate::GateResult;
use pilotage_engine::judge::{self, Case, Judgement, Reading, Verdict};
use pilotage_engine::{ActionResult, Cause, Deployment, DeploymentEvent, Direction, Opinion, Request, Step};
use pilotage_journal::Event;

use crate::commands::{address_move, headline};
use crate::printer::{Printer, Tone};
use crate::words::{count, gate_mark, span};

/// The lines that tell one event; `before` is the deployment as it was until then.
pub fn lines(
    before: Option<&Deployment>,
    fact: &DeploymentEvent,
    event: &Event,
    printer: &Printer,
) -> Vec<String> {
    let line = |since: Duration, tone: Tone, glyph: &str, text: String| {
        let since = format!("+{}", span(since));
        format!(
            "{} {since:>9}  {} {text}",
            event.stream.as_str().trim_start_matches("deployment/"),
            printer.paint(tone, glyph)
        )
    };
    let told = match (before, fact) {
        (_, DeploymentEvent::Started { plan, .. }) => {
            let text = format!("{}, {}", headline(plan), count(plan.steps.len(), "step"));
            let moves = address_move(plan).map(|moves| line(Duration::ZERO, Tone::Moving, "!", moves));
            return [line(Duration::ZERO, Tone::Moving, "▸", text)].into_iter().chain(moves).collect();
        }
        (Some(before), fact) => tell(before, fact, event),
        (None, _) => Vec::new(),
    };
    let since = before.map_or(Duration::ZERO, |before| event.time.since(before.started_at));
    told.into_iter().map(|(tone, glyph, text)| line(since, tone, glyph, text)).collect()
}

type Told = (Tone, &'static str, String);

fn tell(before: &Deployment, fact: &DeploymentEvent, event: &Event) -> Vec<Told> {
    let took = event.time.since(before.course.since);
    match fact {
        DeploymentEvent::GatesChecked { results, .. } => {
            let gate = |gate: &GateResult| {
                let (tone, glyph, word) = gate_mark(gate.outcome);
                (tone, glyph, format!("gate `{}` {word}: {}", gate.gate, gate.finding))
            };
            results.iter().map(gate).collect()
        }
        DeploymentEvent::Stated { opinion, by, reason, .. } => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            let (tone, glyph, said) = match opinion {
                Opinion::Approve => (Tone::Good, "✓", "has approved it"),
                Opinion::Reject => (Tone::Bad, "✗", "has rejected it"),
                Opinion::Withdraw => (Tone::Moving, "‖", "has taken back what they had said"),
            };
            vec![(tone, glyph, format!("{by} {said}{reason}"))]
        }
        DeploymentEvent::Reminded { missing } => {
            vec![(Tone::Moving, "‖", format!("still waiting: {}", missing.join("; ")))]
        }
        DeploymentEvent::Executed { result: ActionResult::Done, .. } => {
            vec![(Tone::Good, "✓", format!("{} ({})", step(before), span(took)))]
        }
        DeploymentEvent::Executed { result: ActionResult::Failed(failure), .. } => {
            vec![(Tone::Bad, "!", format!("{} failed: {}", step(before), failure.reason))]
        }
        DeploymentEvent::HealthChecked { verdict, reading, .. } => {
            vec![checked(before, *verdict, reading.as_deref(), took)]
        }
        DeploymentEvent::Requested { request, reason } => {
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            vec![(Tone::Moving, "▸", format!("{} asked to {}{reason}", event.actor, asked(*request)))]
        }
        DeploymentEvent::Alerted { alert } => vec![(Tone::Bad, "!", format!("alert: {}", alert.words()))],
        DeploymentEvent::Adopted => {
            vec![(Tone::Moving, "▸", "the server is back, and goes on".to_owned())]
        }
        DeploymentEvent::RollbackStarted { cause, .. } if cause.is_planned() => {
            vec![(Tone::Good, "✓", rollback(cause))]
        }
        DeploymentEvent::ClockStepped { .. } => {
            vec![(Tone::Moving, "▸", "the clock was set; watches take as long as before".to_owned())]
        }
        DeploymentEvent::RollbackStarted { cause, .. } => vec![(Tone::Bad, "↩", rollback(cause))],
        DeploymentEvent::Started { .. }
        | DeploymentEvent::Intended { .. }
        | DeploymentEvent::Completed { .. } => Vec::new(),
    }
}

/// The step that is being taken, with its number: `step 3 of 8: route 10 % to 1.1.0, 90 % to 1.0.0`.
fn step(deployment: &Deployment) -> String {
    let course = &deployment.course;
    let way = match course.direction {
        Direction::Forward => "step",
        Direction::Back if deployment.is_concluding() => "what is left,",
        Direction::Back => "way back",
    };
    let step = course.step().map(ToString::to_string).unwrap_or_default();
    format!("{way} {} of {}: {step}", course.next + 1, course.steps.len())
}

fn checked(before: &Deployment, verdict: Verdict, reading: Option<&Reading>, took: Duration) -> Told {
    let judgement = reading.map(|reading| judge::judge(&Case::of(&before.plan), reading));
    let words = judgement.as_ref().map(|judgement| format!(": {}", judgement.words())).unwrap_or_default();
    let reported: String =
        judgement.iter().flat_map(Judgement::dry_run_words).map(|words| format!("; {words}")).collect();
    let watched = matches!(before.course.step(), Some(Step::Watch { .. }));
    if before.course.step() == Some(&Step::Conclude) {
        let shown = judgement.as_ref().and_then(Judgement::of_trial).unwrap_or("let go on");
        return (Tone::Good, "✓", format!("{}: {shown}", step(before)));
    }
    match verdict {
        Verdict::Pass if watched => (Tone::Good, "✓", format!("{}, verdict pass{reported}", step(before))),
        Verdict::Pass => (Tone::Good, "✓", format!("{} ({})", step(before), span(took))),
        Verdict::Fail => (Tone::Bad, "✗", format!("{}, verdict fail{words}", step(before))),
        Verdict::Inconclusive => {
            (Tone::Moving, "?", format!("{}, verdict inconclusive{words}", step(before)))
        }
    }
}

fn asked(request: Request) -> &'static str {
    match request {
        Request::Promote => "let it go on",
        Request::PromoteFully => "skip every watch and hold but the soak",
        Request::Abort => "take it back",
        Request::Pause => "pause",
        Request::Resume => "go on",
    }
}

fn rollback(cause: &Cause) -> String {
    match cause {
        Cause::Verdict { .. } => "rolling back: production disagrees".to_owned(),
        Cause::Asked { .. } => "rolling back, as asked".to_owned(),
        Cause::Alert { .. } => "rolling back: an alert came".to_owned(),
        Cause::StepFailed { reason } => format!("rolling back: {reason}"),
        Cause::Concluded { reason } => reason.clone(),
    }
}
