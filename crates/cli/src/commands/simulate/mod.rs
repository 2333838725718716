//! `pilotage simulate`: a plan played against a fault, thousands of times; nothing is deployed.

mod drawing;
mod plan;
mod played;
mod report;

use pilotage_engine::Plan;
use pilotage_engine::gate::{self, GateFacts, GateOutcome};
use pilotage_engine::rehearse::{Rehearsal, Summary, Traffic};

use super::Session;
use crate::arguments::Simulate;
use crate::failure::{DONE, Failure};
use crate::printer::Printer;
use drawing::Drawing;
use played::Played;

pub async fn run(asked: &Simulate, session: &Session) -> Result<u8, Failure> {
    let printer = &session.printer;
    let usage = |error: &dyn std::error::Error| Failure::usage(error.to_string());
    let plan = plan::of(asked, session).await?;
    let traffic = Traffic::new(asked.rps, asked.errors).map_err(|error| usage(&error))?;
    let rehearsal = Rehearsal::new(plan, traffic, asked.faults.clone()).map_err(|error| usage(&error))?;
    let drawing = asked.svg.as_deref().map(Drawing::begin).transpose()?;
    warn(rehearsal.plan(), &traffic, printer);

    let played = Played::play(&rehearsal, asked, printer)?;
    let report = report::Report {
        asked,
        plan: rehearsal.plan(),
        with_fault: rehearsal.has_fault().then(|| Summary::of(&played.with_fault, rehearsal.course())),
        without_fault: Summary::of(&played.without_fault, rehearsal.course()),
    };
    if printer.json() {
        printer.object(&report.object());
    } else {
        report.lines().iter().for_each(|line| printer.line(line));
    }
    if let Some(drawing) = drawing {
        drawing.end(&report.picture(&played, rehearsal.course()))?;
    }
    Ok(DONE)
}

/// The gates that look at nothing but the plan and its traffic.
const PLAYED_GATES: [&str; 2] = ["gradual-rollout", "sighted"];

/// What the rollouts that are played leave out.
fn warn(plan: &Plan, traffic: &Traffic, printer: &Printer) {
    let facts = GateFacts { traffic: Some(traffic.as_known()), ..GateFacts::default() };
    for gate in gate::check(plan, &facts) {
        if gate.outcome == GateOutcome::Refused && PLAYED_GATES.contains(&gate.gate.as_str()) {
            printer.say(format!("gate `{}` would refuse this deployment: {}", gate.gate, gate.finding));
        }
    }
    if !plan.roll_back_when().metrics.is_empty() {
        printer.say("metrics of your own are not played: they are taken as unknown");
    }
}
