//! The watch of an A/B test, and how it ends: with what is known then. Too little is no reason to wait or to go back in alarm.

use pilotage_spec::{AbTrial, StrategyKind, Timestamp, format_duration};

use super::{Decision, Waiting, health_checked, judged, rollback_started, wait};
use crate::event::{Cause, DeploymentEvent};
use crate::evidence::AbStanding;
use crate::judge::{Trial, Verdict};
use crate::{Deployment, Direction, Facts, Step};

/// The test whose watch is being taken, if one is.
pub(super) fn of(deployment: &Deployment) -> Option<&AbTrial> {
    let course = &deployment.course;
    let concludes = course.steps.get(course.next + 1) == Some(&Step::Conclude);
    match &deployment.plan.request.strategy.kind {
        StrategyKind::Ab { trial } if concludes && course.direction == Direction::Forward => Some(trial),
        _ => None,
    }
}

/// Goes on until the result is known, the time is over, or a person ends it.
pub(super) fn watch(deployment: &Deployment, trial: &AbTrial, facts: &Facts, now: Timestamp) -> Decision {
    let until = deployment.course.since.plus(trial.lasts);
    let asked = deployment.promoted || deployment.promoted_fully;
    let sighted = facts.reading.as_ref().filter(|reading| reading.blind.is_none());
    let standing = seen(facts).map_or(AbStanding::Inconclusive, Trial::standing);
    let known = sighted.is_some() && standing != AbStanding::Inconclusive;
    if now < until && !known && !asked {
        return Decision::Wait { until, why: Waiting::Watch };
    }
    if sighted.is_none() && !asked {
        return wait(now, Waiting::Sight);
    }
    let undecided = match now < until {
        true => "inconclusive, and ended by a person".to_owned(),
        false => format!("inconclusive after {}", format_duration(trial.lasts)),
    };
    Decision::Record(conclusion(deployment, trial, facts, &undecided))
}

/// The end of the watch and what follows from it, at once: after a crash between the two nothing would be known any more.
fn conclusion(
    deployment: &Deployment,
    trial: &AbTrial,
    facts: &Facts,
    undecided: &str,
) -> Vec<DeploymentEvent> {
    let candidate = deployment.plan.candidate();
    let verdict =
        facts.reading.as_ref().map_or(Verdict::Inconclusive, |reading| judged(deployment, reading).verdict);
    let watched = health_checked(deployment, candidate, verdict, facts);
    let won = seen(facts).is_some_and(|test| test.standing() == AbStanding::BWins);
    let follows = match trial.promotes && won {
        true => DeploymentEvent::HealthChecked {
            direction: Direction::Forward,
            step: deployment.course.next + 1,
            version: candidate.clone(),
            verdict: Verdict::Pass,
            reading: facts.reading.clone().map(Box::new),
        },
        false => {
            let reason = words(deployment, facts, undecided);
            rollback_started(deployment, facts, Cause::Concluded { reason })
        }
    };
    vec![watched, follows]
}

fn words(deployment: &Deployment, facts: &Facts, undecided: &str) -> String {
    match (seen(facts), deployment.plan.reference()) {
        (Some(test), Some(stable)) => test.words(stable, deployment.plan.candidate(), undecided),
        _ => format!("A/B: {undecided}: nothing was counted"),
    }
}

fn seen(facts: &Facts) -> Option<&Trial> {
    facts.reading.as_ref()?.tests.as_ref()?.trial()
}
