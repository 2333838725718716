//! One rollout: the engine decides, and what it decides happens in the scene.

use std::time::Duration;

use pilotage_spec::Timestamp;

use super::rollout::{End, Rollout, TakenBack};
use super::scene::Scene;
use crate::event::{Cause, Outcome};
use crate::judge::{self, Case, Verdict};
use crate::{
    Action, ActionResult, Decision, Deployment, DeploymentEvent, FoldError, Request, Waiting, decide,
};

/// The time between two looks while something changes. A real judge looks five times a second.
const SOON: Duration = Duration::from_secs(1);
/// The same once nothing has changed for a while.
const CALM: Duration = Duration::from_secs(5);
/// How long after a change that is.
const CALM_AFTER: Duration = Duration::from_secs(30);
/// What a rollout is given beyond one and a half times the planned time before it counts as held.
const SLACK: Duration = Duration::from_secs(60);

/// A rollout that is being played.
pub(super) struct Player<'a> {
    scene: Scene<'a>,
    deployment: Deployment,
    /// When it counts as held.
    limit: Timestamp,
    taken_back: Option<TakenBack>,
    /// It is taken back for want of evidence.
    doubted: bool,
    unsure: bool,
}

impl<'a> Player<'a> {
    /// `begun` has passed its gates; `whole` is the planned time.
    pub(super) fn new(scene: Scene<'a>, begun: Deployment, whole: Duration) -> Self {
        let limit = scene.now().plus(whole + whole / 2 + SLACK);
        Self { scene, deployment: begun, limit, taken_back: None, doubted: false, unsure: false }
    }

    pub(super) fn play(mut self) -> Rollout {
        loop {
            let now = self.scene.now();
            let followed = match decide(&self.deployment, self.scene.facts(), now) {
                Decision::Finished(outcome) => {
                    let end = self.end(outcome);
                    return self.rollout(end);
                }
                Decision::Record(events) => self.record(&events),
                Decision::Act(action) => self.act(action),
                // Whoever rehearses wants to see what comes after the hold: it takes no time.
                Decision::Wait { why: Waiting::Person, .. } => {
                    self.record(&[DeploymentEvent::Requested { request: Request::Promote, reason: None }])
                }
                Decision::Wait { .. } if now >= self.limit => return self.rollout(End::Held),
                Decision::Wait { until, why } => {
                    self.wait(until, &why);
                    Ok(())
                }
            };
            // What the engine decides follows from what it decided upon. Were it not so, the rollout would stand still.
            if followed.is_err() {
                return self.rollout(End::Failed);
            }
        }
    }

    fn end(&self, outcome: Outcome) -> End {
        match outcome {
            Outcome::Succeeded => End::Succeeded,
            Outcome::Concluded => End::Concluded,
            Outcome::RolledBack if self.doubted => End::Inconclusive,
            Outcome::RolledBack => End::RolledBack,
            Outcome::Failed | Outcome::Refused => End::Failed,
        }
    }

    fn rollout(self, end: End) -> Rollout {
        let Self { taken_back, unsure, scene, .. } = self;
        let harm = scene.harm();
        Rollout { end, taken_back, unsure, failed: harm.failed, hurt: harm.beyond }
    }

    fn record(&mut self, events: &[DeploymentEvent]) -> Result<(), FoldError> {
        let failed = events
            .iter()
            .any(|event| matches!(event, DeploymentEvent::HealthChecked { verdict: Verdict::Fail, .. }));
        for event in events {
            match event {
                DeploymentEvent::HealthChecked { verdict: Verdict::Inconclusive, .. } => {
                    self.unsure |= self.deployment.is_watching();
                }
                DeploymentEvent::RollbackStarted { cause, .. } if !cause.is_planned() => {
                    self.doubted = matches!(cause, Cause::Verdict { .. }) && !failed;
                    let triggers = if failed { self.triggers() } else { Vec::new() };
                    let (after, step) = (self.scene.since_first_request(), self.scene.steps());
                    self.taken_back = Some(TakenBack { after, step, triggers });
                }
                _ => {}
            }
            self.deployment.apply(event, self.scene.now())?;
        }
        Ok(())
    }

    /// What has fired, as the judge says.
    fn triggers(&self) -> Vec<String> {
        let Some(reading) = &self.scene.facts().reading else { return Vec::new() };
        let findings = judge::judge(&Case::of(&self.deployment.plan), reading).findings;
        let fired =
            findings.into_iter().filter(|finding| finding.verdict == Verdict::Fail && !finding.dry_run);
        fired.map(|finding| finding.trigger).collect()
    }

    fn act(&mut self, action: Action) -> Result<(), FoldError> {
        self.scene.act(&action);
        let (direction, step) = (self.deployment.course.direction, self.deployment.course.next);
        let done =
            DeploymentEvent::Executed { direction, step, action, result: ActionResult::Done, duration_ms: 0 };
        self.deployment.apply(&done, self.scene.now())
    }

    /// Lets time pass until the next look.
    fn wait(&mut self, until: Timestamp, why: &Waiting) {
        let watches = matches!(why, Waiting::Watch | Waiting::Evidence { .. });
        let pause = if watches && self.scene.calm_since() >= CALM_AFTER { CALM } else { SOON };
        let left = until.since(self.scene.now());
        self.scene.pass(if *why == Waiting::Watch { pause.min(left) } else { pause });
    }
}
