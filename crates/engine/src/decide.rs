//! The decision what to do next: the one function that every deployment is driven by.

#[cfg(test)]
mod tests;
mod trial;

use std::time::Duration;

use pilotage_spec::{Inconclusive, Timestamp, Version};

use crate::event::{Cause, DeploymentEvent, Outcome};
use crate::gate::{GateOutcome, GateResult};
use crate::judge::{self, Case, Judgement, Reading, Verdict};
use crate::plan::{Check, Step, way_back};
use crate::{Action, ActionFailure, Deployment, Direction, Facts, interlock};

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Record these facts, all or none, and ask again.
    Record(Vec<DeploymentEvent>),
    /// Record the intent, do it, record how it ended, and ask again.
    Act(Action),
    /// Nothing now; ask again when the facts change, and at this time at the latest.
    Wait {
        /// The latest time to ask again.
        until: Timestamp,
        /// What is waited for.
        why: Waiting,
    },
    /// It is over.
    Finished(Outcome),
}

/// What a deployment waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// Instances become ready.
    Ready {
        /// The version.
        version: Version,
        /// Ready instances.
        ready: u32,
        /// Wanted ones.
        wanted: u32,
    },
    /// Gates that somebody, or the time, can still let pass.
    Gates {
        /// What is missing, in words.
        missing: String,
    },
    /// A watch goes on.
    Watch,
    /// A person lets it go on.
    Person,
    /// A watch is over, but requests cannot be counted now.
    Sight,
    /// A watch is over, but too little was seen in it to call the new version good or bad.
    Evidence {
        /// What was seen, in words.
        seen: String,
    },
    /// Somebody asked for a pause.
    Pause,
    /// An effect failed and is tried again.
    Retry(ActionFailure),
    /// An interlock forbids the next effect.
    Interlock(interlock::Violation),
}

/// Tries of one effect on the way forward before it is given up.
const FORWARD_ATTEMPTS: u32 = 5;
/// How long the way back is tried before a person is called.
const BACK_LIMIT: Duration = Duration::from_secs(300);
/// What a check waits beyond the time that an instance has to become ready.
const READY_SLACK: Duration = Duration::from_secs(10);
/// A watch that is extended goes on until it has taken so many times as long as planned.
const EXTENDED: u32 = 3;
/// How long a deployment is held before its gates pass.
const HELD_LIMIT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long an interlock may hold up the way forward.
const INTERLOCK_LIMIT: Duration = Duration::from_secs(30);

/// Says what to do next, from the history, what is there now, and the time.
pub fn decide(deployment: &Deployment, facts: &Facts, now: Timestamp) -> Decision {
    if let Some((outcome, ..)) = &deployment.end {
        return Decision::Finished(*outcome);
    }
    if !deployment.gates_passed() {
        return gated(deployment, now);
    }
    match deployment.course.direction {
        Direction::Forward => forward(deployment, facts, now),
        Direction::Back => step(deployment, facts, now),
    }
}

/// Not every gate has passed: nothing is done.
fn gated(deployment: &Deployment, now: Timestamp) -> Decision {
    if let Some(reason) = &deployment.aborted {
        let why = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        return complete(Outcome::Refused, Some(format!("given up before it began{why}")));
    }
    let refused = deployment.open_gates().any(|gate| gate.outcome == GateOutcome::Refused);
    if deployment.held && !refused {
        if now.since(deployment.started_at) > HELD_LIMIT {
            return complete(
                Outcome::Refused,
                Some(format!("nobody let it pass in time: {}", open(deployment))),
            );
        }
        return wait(now, Waiting::Gates { missing: open(deployment) });
    }
    let reason = match deployment.gates {
        None => "the gates were not asked".to_owned(),
        Some(_) => open(deployment),
    };
    complete(Outcome::Refused, Some(reason))
}

/// The gates that do not pass, in words.
fn open(deployment: &Deployment) -> String {
    let words = |gate: &GateResult| {
        let says = match gate.outcome {
            GateOutcome::Waiting => "waits",
            GateOutcome::Error => "cannot tell",
            _ => "refused",
        };
        format!("gate `{}` {says}: {}", gate.gate, gate.finding)
    };
    deployment.open_gates().map(words).collect::<Vec<_>>().join("; ")
}

fn forward(deployment: &Deployment, facts: &Facts, now: Timestamp) -> Decision {
    if let Some(reason) = &deployment.aborted {
        return roll_back(deployment, facts, Cause::Asked { reason: reason.clone() });
    }
    if let Some(alert) = &deployment.alert {
        return roll_back(deployment, facts, Cause::Alert { alert: alert.clone() });
    }
    // A release that is restored is known to be good; what is measured now may still be the bad one's doing.
    let known_good = deployment.plan.request.purpose.is_known_good();
    // Once the last watch has passed, the judge has spoken; a first deployment has none, and nothing to go back to.
    if !known_good
        && !deployment.soaked()
        && deployment.tried
        && let Some(reading) = &facts.reading
    {
        let judgement = judged(deployment, reading);
        if judgement.verdict == Verdict::Fail {
            let words = judgement.words();
            let seen = health_checked(deployment, deployment.plan.candidate(), Verdict::Fail, facts);
            return Decision::Record(vec![
                seen,
                rollback_started(deployment, facts, Cause::Verdict { reason: words }),
            ]);
        }
    }
    step(deployment, facts, now)
}

fn step(deployment: &Deployment, facts: &Facts, now: Timestamp) -> Decision {
    let Some(step) = deployment.course.step() else { return end(deployment) };
    match step {
        Step::Check { version, check: Check::Ready { replicas } } => {
            ready(deployment, facts, now, version, *replicas)
        }
        Step::Watch { duration, soak, .. } => watch(deployment, facts, now, *duration, *soak),
        Step::Hold => hold(deployment, facts, now),
        Step::Conclude => conclude(deployment, facts),
        Step::Ensure { version, replicas } => {
            act(deployment, facts, now, Action::Ensure { version: version.clone(), replicas: *replicas })
        }
        Step::Check { version, check: Check::Smoke } => {
            act(deployment, facts, now, Action::Smoke { version: version.clone() })
        }
        Step::Route(split) => act(deployment, facts, now, Action::Route(split.clone())),
        Step::Retire { version, keep } => {
            act(deployment, facts, now, Action::Retire { version: version.clone(), keep: *keep })
        }
    }
}

fn end(deployment: &Deployment) -> Decision {
    let reason = deployment.cause.as_ref().map(Cause::words);
    match deployment.course.direction {
        Direction::Forward => complete(Outcome::Succeeded, None),
        Direction::Back if deployment.is_concluding() => complete(Outcome::Concluded, reason),
        Direction::Back if deployment.traffic_moved => complete(Outcome::RolledBack, reason),
        Direction::Back => complete(Outcome::Failed, reason),
    }
}

fn act(deployment: &Deployment, facts: &Facts, now: Timestamp, action: Action) -> Decision {
    let course = &deployment.course;
    let forward = course.direction == Direction::Forward;
    if forward && deployment.paused {
        return wait(now, Waiting::Pause);
    }
    if let Some((failure, at)) = &course.failure {
        let give_up = !failure.transient || course.attempts >= FORWARD_ATTEMPTS;
        let proved = deployment.soaked() && course.is_switched();
        if forward && give_up && proved && matches!(action, Action::Retire { .. }) {
            // It has proved itself; that the old version cannot be stopped is no reason to go back to it.
            return complete(
                Outcome::Succeeded,
                Some(format!("{} is not stopped yet: {}", version_of(&action), failure.reason)),
            );
        }
        if forward && give_up {
            return roll_back(deployment, facts, Cause::StepFailed { reason: failure.reason.clone() });
        }
        if !forward && now.since(course.set_at) > BACK_LIMIT {
            return stuck(deployment, &failure.reason);
        }
        // A clock that was set back must not keep the next try waiting.
        let pause = backoff(course.attempts);
        if now >= *at && now.since(*at) < pause {
            return Decision::Wait { until: at.plus(pause), why: Waiting::Retry(failure.clone()) };
        }
    }
    match interlock::check(deployment, facts, &action) {
        Ok(()) => Decision::Act(action),
        Err(violation) if forward && now.since(course.since) > INTERLOCK_LIMIT => {
            roll_back(deployment, facts, Cause::StepFailed { reason: violation.to_string() })
        }
        Err(violation) if !forward && now.since(course.set_at) > BACK_LIMIT => {
            stuck(deployment, &violation.to_string())
        }
        Err(violation) => wait(now, Waiting::Interlock(violation)),
    }
}

fn ready(deployment: &Deployment, facts: &Facts, now: Timestamp, version: &Version, wanted: u32) -> Decision {
    let ready = facts.ready(version);
    if ready >= wanted {
        return Decision::Record(vec![health_checked(deployment, version, Verdict::Pass, &Facts::default())]);
    }
    let course = &deployment.course;
    let given =
        deployment.plan.release(version).map_or(Duration::ZERO, |release| release.instance.start_timeout);
    let late = now.since(course.since) > given + READY_SLACK;
    let failure = facts.failures(version).first().cloned();
    let reason = failure
        .or_else(|| late.then(|| format!("only {ready} of {wanted} instances of {version} became ready")));
    match (reason, course.direction) {
        (Some(reason), Direction::Forward) => roll_back(deployment, facts, Cause::StepFailed { reason }),
        (Some(reason), Direction::Back) if late => stuck(deployment, &reason),
        _ => wait(now, Waiting::Ready { version: version.clone(), ready, wanted }),
    }
}

fn watch(deployment: &Deployment, facts: &Facts, now: Timestamp, duration: Duration, soak: bool) -> Decision {
    if deployment.paused {
        return wait(now, Waiting::Pause);
    }
    if let Some(trial) = trial::of(deployment) {
        return trial::watch(deployment, trial, facts, now);
    }
    let until = deployment.course.since.plus(duration);
    let skipped = !soak && (deployment.promoted || deployment.promoted_fully);
    let wait_on = || Decision::Wait { until, why: Waiting::Watch };
    let ended = now >= until || skipped;
    if !ended && (soak || !may_end_early(facts)) {
        return wait_on();
    }
    let judgement = match &facts.reading {
        Some(reading) if reading.blind.is_none() || skipped => Some(judged(deployment, reading)),
        _ => None,
    };
    if !ended && judgement.as_ref().is_none_or(|judgement| judgement.verdict != Verdict::Pass) {
        return wait_on();
    }
    let verdict = match judgement {
        Some(judgement) if judgement.verdict == Verdict::Inconclusive && !skipped && !soak => {
            return inconclusive(deployment, facts, now, duration, &judgement);
        }
        Some(judgement) => judgement.verdict,
        // A watch during which nothing could be seen is not over.
        None if !skipped => return wait(now, Waiting::Sight),
        None => Verdict::Inconclusive,
    };
    Decision::Record(vec![health_checked(deployment, deployment.plan.candidate(), verdict, facts)])
}

fn judged(deployment: &Deployment, reading: &Reading) -> Judgement {
    judge::judge(&Case::of(&deployment.plan), reading)
}

/// Whether a watch may end early, if the judge passes the candidate.
fn may_end_early(facts: &Facts) -> bool {
    let tests = facts.reading.as_ref().and_then(|reading| reading.tests.as_ref());
    tests.is_some_and(|tests| tests.may_promote_early())
}

/// What the environment's policy makes of a watch that has ended without a verdict.
fn inconclusive(
    deployment: &Deployment,
    facts: &Facts,
    now: Timestamp,
    duration: Duration,
    judgement: &Judgement,
) -> Decision {
    let go_on = || {
        let version = deployment.plan.candidate();
        Decision::Record(vec![health_checked(deployment, version, Verdict::Inconclusive, facts)])
    };
    let hold = || wait(now, Waiting::Evidence { seen: judgement.words() });
    let roll_back = || {
        let reason = format!("too little was seen to call it good: {}", judgement.words());
        roll_back(deployment, facts, Cause::Verdict { reason })
    };
    match deployment.plan.request.policy.inconclusive {
        Inconclusive::GoOn => go_on(),
        Inconclusive::Raise if leaves_some(deployment) => go_on(),
        Inconclusive::Raise | Inconclusive::Hold => hold(),
        Inconclusive::Extend if now < deployment.course.since.plus(duration * EXTENDED) => hold(),
        Inconclusive::Extend | Inconclusive::RollBack => roll_back(),
    }
}

/// Whether the next switch leaves the stable version some of the traffic; or whether none is left to be made.
fn leaves_some(deployment: &Deployment) -> bool {
    let course = &deployment.course;
    let next = course.steps.iter().skip(course.next).find_map(|step| match step {
        Step::Route(split) => Some(split),
        _ => None,
    });
    next.is_none_or(|split| !split.is_all(deployment.plan.candidate()))
}

fn hold(deployment: &Deployment, facts: &Facts, now: Timestamp) -> Decision {
    if deployment.paused {
        return wait(now, Waiting::Pause);
    }
    if !deployment.promoted && !deployment.promoted_fully {
        return wait(now, Waiting::Person);
    }
    // A bad reading has turned it back before; that a person has looked is enough where nobody else could.
    Decision::Record(vec![health_checked(deployment, deployment.plan.candidate(), Verdict::Pass, facts)])
}

fn conclude(deployment: &Deployment, facts: &Facts) -> Decision {
    if let Some(release) = deployment.plan.rehearsed() {
        let reason = format!("the way back from {} is rehearsed", release.version);
        return roll_back(deployment, facts, Cause::Concluded { reason });
    }
    let seen = facts.reading.as_ref().map(|reading| judged(deployment, reading).words());
    let reason = match seen.filter(|words| !words.is_empty()) {
        Some(words) => format!("the trial is over: {words}"),
        None => "the trial is over".to_owned(),
    };
    roll_back(deployment, facts, Cause::Concluded { reason })
}

fn health_checked(
    deployment: &Deployment,
    version: &Version,
    verdict: Verdict,
    facts: &Facts,
) -> DeploymentEvent {
    let course = &deployment.course;
    DeploymentEvent::HealthChecked {
        direction: course.direction,
        step: course.next,
        version: version.clone(),
        verdict,
        reading: facts.reading.clone().map(Box::new),
    }
}

fn rollback_started(deployment: &Deployment, facts: &Facts, cause: Cause) -> DeploymentEvent {
    DeploymentEvent::RollbackStarted { cause, steps: way_back(&deployment.plan, facts) }
}

fn roll_back(deployment: &Deployment, facts: &Facts, cause: Cause) -> Decision {
    Decision::Record(vec![rollback_started(deployment, facts, cause)])
}

/// The way back cannot go on. Once the users are back, that is no failure of the way back.
fn stuck(deployment: &Deployment, reason: &str) -> Decision {
    let cause = deployment.cause.as_ref().map(Cause::words).unwrap_or_default();
    if deployment.course.is_switched() && deployment.is_concluding() {
        return complete(Outcome::Concluded, Some(format!("{cause}; what is left to do: {reason}")));
    }
    if deployment.course.is_switched() && deployment.traffic_moved {
        return complete(Outcome::RolledBack, Some(format!("{cause}; what is left to do: {reason}")));
    }
    complete(Outcome::Failed, Some(format!("{cause}; and the way back could not be finished: {reason}")))
}

fn version_of(action: &Action) -> String {
    match action {
        Action::Ensure { version, .. } | Action::Smoke { version } | Action::Retire { version, .. } => {
            version.to_string()
        }
        Action::Route(_) => "the traffic".to_owned(),
    }
}

fn complete(outcome: Outcome, reason: Option<String>) -> Decision {
    Decision::Record(vec![DeploymentEvent::Completed { outcome, reason }])
}

/// Facts wake the conductor; this is only the longest it sleeps without any.
fn wait(now: Timestamp, why: Waiting) -> Decision {
    Decision::Wait { until: now.plus(Duration::from_millis(500)), why }
}

/// 200 ms, doubled for each try, 5 s at most.
fn backoff(attempts: u32) -> Duration {
    let factor = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_millis(200).saturating_mul(factor).min(Duration::from_secs(5))
}
