//! `pilotage rollout`: rollouts that a controller of the team's runs, and orders to it.

use pilotage_server::RolloutBody;
use pilotage_spec::{ControllerOrder, EnvironmentName, RolloutController, ServiceName};
use pilotage_targets::ControllerRollout;

use super::{Session, typed};
use crate::arguments::{RolloutOrder, RolloutShow, RolloutVerb};
use crate::failure::{DONE, Failure};
use crate::place::environment;
use crate::printer::{Printer, Tone};

pub async fn run(verb: RolloutVerb, session: &Session) -> Result<u8, Failure> {
    match verb {
        RolloutVerb::Show(asked) => show(&asked, session).await,
        RolloutVerb::Promote(asked) => order(ControllerOrder::Promote, asked, session).await,
        RolloutVerb::PromoteFully(asked) => order(ControllerOrder::PromoteFully, asked, session).await,
        RolloutVerb::Abort(asked) => order(ControllerOrder::Abort, asked, session).await,
        RolloutVerb::Retry(asked) => order(ControllerOrder::Retry, asked, session).await,
    }
}

async fn show(asked: &RolloutShow, session: &Session) -> Result<u8, Failure> {
    let (service, environment) = named(asked, session)?;
    let path = format!("/v1/rollout?service={service}&environment={environment}");
    let rollout: ControllerRollout = session.client().await?.get(&path).await?;
    let printer = &session.printer;
    if printer.json() {
        printer.object(&rollout);
        return Ok(DONE);
    }
    print(&service, &environment, &rollout, printer);
    if let Some(verb) = next(&rollout) {
        printer.hint(format!("pilotage rollout {verb} {service} --env {environment}"));
    }
    Ok(DONE)
}

async fn order(order: ControllerOrder, asked: RolloutOrder, session: &Session) -> Result<u8, Failure> {
    let (service, environment) = named(&asked.of, session)?;
    let body = RolloutBody {
        service: service.to_string(),
        environment: environment.to_string(),
        reason: asked.reason,
        full: order == ControllerOrder::PromoteFully,
        command: typed(),
    };
    let (verb, done) = match order {
        ControllerOrder::Promote => ("promote", "it goes on to the next step"),
        ControllerOrder::PromoteFully => ("promote", "the new version gets everything"),
        ControllerOrder::Abort => ("abort", "the stable version gets everything back"),
        ControllerOrder::Retry => ("retry", "it begins again"),
    };
    let client = session.client().await?;
    let rollout: ControllerRollout = client.post(&format!("/v1/rollout/{verb}"), &body).await?;
    let printer = &session.printer;
    if printer.json() {
        printer.object(&rollout);
        return Ok(DONE);
    }
    printer.line(format!("✓ {environment}/{service}: ordered, {done}"));
    print(&service, &environment, &rollout, printer);
    printer.hint(format!(
        "{} acts on it in a moment: pilotage rollout show {service} --env {environment}",
        rollout.controller
    ));
    Ok(DONE)
}

fn named(asked: &RolloutShow, session: &Session) -> Result<(ServiceName, EnvironmentName), Failure> {
    let project = session.place.project()?;
    let (service, _) = project.service(&asked.service)?;
    let (environment, _) = environment(&project, asked.env.as_deref())?;
    Ok((service.clone(), environment.clone()))
}

fn print(
    service: &ServiceName,
    environment: &EnvironmentName,
    rollout: &ControllerRollout,
    printer: &Printer,
) {
    let (tone, glyph) = mark(rollout);
    let glyph = printer.paint(tone, glyph);
    printer.line(format!("{glyph} {environment}/{service}: {}", headline(rollout)));
    if !rollout.message.is_empty() {
        printer.line(format!("    {}", rollout.message));
    }
    if !rollout.waits_for.is_empty() {
        printer.line(format!("    waits for {}", rollout.waits_for.join(", ")));
    }
}

/// `Paused by Argo Rollouts, 5 % to the new version, 1 of 3 steps done`.
fn headline(rollout: &ControllerRollout) -> String {
    let ControllerRollout { controller, phase, weight, step, steps, .. } = rollout;
    let aborted = if rollout.aborted { ", taken back" } else { "" };
    let steps = if *steps > 0 { format!(", {step} of {steps} steps done") } else { String::new() };
    format!("{phase} by {controller}{aborted}, {weight} % to the new version{steps}")
}

fn mark(rollout: &ControllerRollout) -> (Tone, &'static str) {
    match rollout.phase.as_str() {
        _ if rollout.aborted => (Tone::Bad, "↩"),
        "Degraded" => (Tone::Bad, "✗"),
        "Healthy" | "Succeeded" | "Initialized" => (Tone::Good, "✓"),
        _ if rollout.waits_for.is_empty() => (Tone::Moving, "▸"),
        _ => (Tone::Moving, "‖"),
    }
}

/// The order that comes to mind. Flagger's gates are opened where they stand.
fn next(rollout: &ControllerRollout) -> Option<&'static str> {
    match rollout.controller {
        _ if rollout.aborted => Some("retry"),
        RolloutController::ArgoRollouts if !rollout.waits_for.is_empty() => Some("promote"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout(controller: RolloutController, phase: &str, weight: u32) -> ControllerRollout {
        ControllerRollout {
            controller,
            phase: phase.to_owned(),
            message: String::new(),
            waits_for: Vec::new(),
            step: 0,
            steps: 0,
            weight,
            aborted: false,
        }
    }

    #[test]
    fn a_pause_is_told_with_what_it_waits_for_and_the_way_on() {
        let waits_for = vec!["CanaryPauseStep".to_owned()];
        let paused = rollout(RolloutController::ArgoRollouts, "Paused", 5);
        let paused = ControllerRollout { waits_for, step: 1, steps: 3, ..paused };
        assert_eq!(headline(&paused), "Paused by Argo Rollouts, 5 % to the new version, 1 of 3 steps done");
        assert_eq!((mark(&paused).1, next(&paused)), ("‖", Some("promote")));
    }

    #[test]
    fn what_was_taken_back_can_be_begun_again() {
        let failed = ControllerRollout { aborted: true, ..rollout(RolloutController::Flagger, "Failed", 0) };
        assert_eq!(headline(&failed), "Failed by Flagger, taken back, 0 % to the new version");
        assert_eq!((mark(&failed).1, next(&failed)), ("↩", Some("retry")));
        let done = rollout(RolloutController::Flagger, "Succeeded", 100);
        assert_eq!((mark(&done).1, next(&done)), ("✓", None));
    }
}
