//! The loop that takes one deployment from its first event to its last.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pilotage_engine::{
    Action, ActionResult, Decision, DeploymentEvent, DeploymentId, Direction, Facts, Outcome, Step, Waiting,
    decide,
};
use pilotage_journal::{AppendError, StreamId};
use pilotage_spec::StrategyKind;
use pilotage_targets::Fence;
use pilotage_views::{self as views, Rehearsed, Served, WorkloadEvent};
use tracing::{debug, info, warn};

use crate::clock::Clock;
use crate::conductor::{Active, Inner, now};
use crate::log::{DeploymentLog, Right};
use crate::readings::Readings;
use crate::{ConductorError, crash, effect, facts};

/// How often a watch is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// The pause after the journal or the target could not be asked.
const PAUSE: Duration = Duration::from_millis(300);
/// The time between two attempts to bring back instances that are gone, and the longest that a decision waits for one.
const HEAL_EVERY: Duration = Duration::from_secs(1);
const HEAL_LIMIT: Duration = Duration::from_millis(500);

/// One deployment being driven.
pub(crate) struct Driver {
    inner: Arc<Inner>,
    active: Arc<Active>,
    log: DeploymentLog,
    right: Right,
    readings: Readings,
    healed: Option<Instant>,
    clock: Clock,
}

impl Driver {
    pub(crate) fn new(inner: Arc<Inner>, active: Arc<Active>, log: DeploymentLog, right: Right) -> Self {
        let readings = Readings::new(&inner, &log.deployment().plan);
        Self { inner, active, log, right, readings, healed: None, clock: Clock::new(now(), Instant::now()) }
    }

    /// Goes on until the deployment has ended, or another driver has taken it over.
    pub(crate) async fn run(mut self) {
        let id = self.log.id();
        info!(%id, "driving");
        loop {
            match self.turn().await {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(outcome)) => {
                    info!(%id, ?outcome, "ended");
                    break;
                }
                Err(ConductorError::Append(AppendError::Fenced { .. })) => {
                    warn!(%id, "another driver has taken over");
                    break;
                }
                Err(error) => {
                    warn!(%id, %error, "cannot go on for now");
                    self.active.show(|live| live.activity = format!("cannot go on for now: {error}"));
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        if let Err(error) = self.inner.journal.release(self.right.lease.clone(), self.right.token).await {
            debug!(%id, %error, "the lease was not given back");
        }
        self.inner.leave(id);
    }

    async fn turn(&mut self) -> Result<ControlFlow<Outcome>, ConductorError> {
        let mut changes = self.inner.target.changes();
        changes.mark_unchanged();
        self.log.refresh()?;
        if let Some(by_micros) = self.clock.step(now(), Instant::now())
            && self.log.deployment().end.is_none()
        {
            self.record(vec![DeploymentEvent::ClockStepped { by_micros }]).await?;
        }
        let facts = self.observe().await?;
        self.heal(&facts).await;
        match decide(self.log.deployment(), &facts, now()) {
            Decision::Finished(outcome) => return Ok(ControlFlow::Break(outcome)),
            Decision::Record(events) => self.record(events).await?,
            Decision::Act(action) => self.act(action).await?,
            Decision::Wait { until, why } => {
                let id = self.log.id();
                self.active.show(|live| live.activity = words(id, &why));
                let wait = until.since(now()).min(LOOK).max(Duration::from_millis(1));
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    _ = changes.changed() => {}
                    () = self.active.bell.notified() => {}
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    async fn observe(&mut self) -> Result<Facts, ConductorError> {
        let deployment = self.log.deployment();
        let observation = self.inner.target.observe(&deployment.plan.request.workload).await?;
        // Counted from the first turn on, so that there is something to compare with; judged once there are requests.
        let reading = self.readings.take(&deployment.plan, &observation).await;
        let reading = deployment.tried.then_some(reading);
        let facts = facts::facts(&observation, reading, deployment.started_at);
        self.show(&facts);
        Ok(facts)
    }

    fn show(&self, facts: &Facts) {
        let plan = &self.log.deployment().plan;
        let versions = || plan.releases().map(|release| &release.id.version);
        self.active.show(|live| {
            live.reading.clone_from(&facts.reading);
            live.shares = versions().map(|version| (version.clone(), facts.share(version))).collect();
            live.ready = versions().map(|version| (version.clone(), facts.ready(version))).collect();
        });
    }

    /// Brings back instances that are simply gone, as when their supervisor was killed. That this fails never holds up a
    /// decision: the way back least of all.
    async fn heal(&mut self, facts: &Facts) {
        let deployment = self.log.deployment();
        let lately = self.healed.is_some_and(|at| at.elapsed() < HEAL_EVERY);
        if lately || deployment.end.is_some() || !deployment.gates_passed() {
            return;
        }
        let (plan, course) = (&deployment.plan, &deployment.course);
        for (version, wanted) in &deployment.wanted {
            let retiring =
                matches!(course.step(), Some(Step::Retire { version: going, .. }) if going == version);
            let copy = plan.baseline.as_ref().is_some_and(|copy| copy.id.version == *version);
            let left = course.direction == Direction::Back && (version == plan.candidate() || copy);
            let given_up = !facts.failures(version).is_empty();
            if retiring || left || given_up || facts.alive(version) >= *wanted {
                continue;
            }
            let Some(release) = plan.release(version) else { continue };
            self.healed = Some(Instant::now());
            let ensure = self.inner.target.ensure(&plan.request.workload, release, *wanted, self.fence());
            if let Ok(Err(error)) = tokio::time::timeout(HEAL_LIMIT, ensure).await {
                warn!(id = %self.log.id(), %version, %error, "instances that are gone cannot be brought back");
            }
        }
    }

    async fn record(&mut self, events: Vec<DeploymentEvent>) -> Result<(), ConductorError> {
        let also = match events.last() {
            Some(DeploymentEvent::Completed { outcome: Outcome::Succeeded, .. }) => {
                vec![self.serving().await?]
            }
            Some(DeploymentEvent::Completed { outcome: Outcome::Concluded, .. }) => {
                self.rehearsed()?.into_iter().collect()
            }
            _ => Vec::new(),
        };
        self.log.record(&events, &self.right, also).await?;
        Ok(())
    }

    /// The fact that the candidate serves from now on, with the address at which it really does.
    async fn serving(&self) -> Result<(StreamId, WorkloadEvent), ConductorError> {
        let request = &self.log.deployment().plan.request;
        let listen = self.inner.target.observe(&request.workload).await?.listen().unwrap_or(request.listen);
        let served = Served {
            release: request.candidate.clone(),
            replicas: request.replicas,
            listen,
            route: request.route.clone(),
            deployment: self.log.id(),
            purpose: request.purpose,
            takes_downtime: matches!(request.strategy.kind, StrategyKind::Recreate),
        };
        Ok((views::workload_stream(&request.workload)?, WorkloadEvent::Serving(Box::new(served))))
    }

    /// The fact that a way back was rehearsed, if it was.
    fn rehearsed(&self) -> Result<Option<(StreamId, WorkloadEvent)>, ConductorError> {
        let plan = &self.log.deployment().plan;
        let stream = views::workload_stream(&plan.request.workload)?;
        let (Some(release), Some(took)) = (plan.rehearsed().cloned(), self.log.way_back_took()) else {
            return Ok(None);
        };
        let rehearsed = Rehearsed { release, took, deployment: self.log.id() };
        Ok(Some((stream, WorkloadEvent::Rehearsed(rehearsed))))
    }

    async fn act(&mut self, action: Action) -> Result<(), ConductorError> {
        let subject = subject(&action);
        let course = &self.log.deployment().course;
        let (direction, step, attempt) = (course.direction, course.next, course.attempts + 1);
        self.active.show(|live| live.activity = doing(&action));
        crash::point(subject, "before_intent");
        let intent = DeploymentEvent::Intended { direction, step, attempt, action: action.clone() };
        if !self.log.record(&[intent], &self.right, Vec::new()).await? {
            // Somebody has asked for something meanwhile: decide again before anything is done.
            return Ok(());
        }
        crash::point(subject, "after_intent");
        let begun = Instant::now();
        let Some(result) = self.perform(direction, &action).await? else { return Ok(()) };
        crash::point(subject, "after_effect");
        let duration_ms = begun.elapsed().as_millis().try_into().unwrap_or(u64::MAX);
        if matches!(action, Action::Route(_)) && result == ActionResult::Done {
            self.readings.restart();
        }
        let outcome = DeploymentEvent::Executed { direction, step, action, result, duration_ms };
        // What was done must be recorded, whatever else was recorded meanwhile.
        while !self.log.record(std::slice::from_ref(&outcome), &self.right, Vec::new()).await? {}
        crash::point(subject, "after_outcome");
        Ok(())
    }

    /// Does it, and goes on looking meanwhile: a production that disagrees, or a person who wants to go back, does not wait
    /// for instances to start, to be tested or to drain. Says `None` if the way back was begun instead.
    async fn perform(
        &mut self,
        direction: Direction,
        action: &Action,
    ) -> Result<Option<ActionResult>, ConductorError> {
        let (inner, plan, fence) =
            (Arc::clone(&self.inner), self.log.deployment().plan.clone(), self.fence());
        let mut effect = std::pin::pin!(effect::perform(&inner, &plan, action, fence));
        let may_be_left = direction == Direction::Forward && !matches!(action, Action::Route(_));
        let active = Arc::clone(&self.active);
        loop {
            tokio::select! {
                result = &mut effect => return Ok(Some(result)),
                () = tokio::time::sleep(LOOK), if may_be_left => {}
                () = active.bell.notified(), if may_be_left => {}
            }
            if self.turn_back().await? {
                return Ok(None);
            }
        }
    }

    /// Begins the way back if that is what the engine decides now.
    async fn turn_back(&mut self) -> Result<bool, ConductorError> {
        self.log.refresh()?;
        let facts = self.observe().await?;
        match decide(self.log.deployment(), &facts, now()) {
            Decision::Record(events)
                if matches!(events.last(), Some(DeploymentEvent::RollbackStarted { .. })) =>
            {
                self.log.record(&events, &self.right, Vec::new()).await
            }
            _ => Ok(false),
        }
    }

    fn fence(&self) -> Fence {
        Fence(self.right.token)
    }
}

fn subject(action: &Action) -> &'static str {
    match action {
        Action::Ensure { .. } => "ensure",
        Action::Smoke { .. } => "smoke",
        Action::Route(_) => "route",
        Action::Retire { .. } => "retire",
    }
}

fn doing(action: &Action) -> String {
    match action {
        Action::Ensure { version, replicas } => format!("starting {version}, {replicas} wanted"),
        Action::Smoke { version } => format!("running the smoke suite against {version}"),
        Action::Route(_) => "switching the traffic".to_owned(),
        Action::Retire { version, .. } => format!("draining and stopping {version}"),
    }
}

fn words(id: DeploymentId, why: &Waiting) -> String {
    match why {
        Waiting::Ready { version, ready, wanted } => {
            format!("{ready} of {wanted} instances of {version} are ready")
        }
        Waiting::Gates { missing } => format!("waiting: {missing}"),
        Waiting::Watch => "watching".to_owned(),
        Waiting::Person => format!("waiting for a person to say `pilotage promote {id}`"),
        Waiting::Sight => "the watch is over, but the edge cannot be asked what happened in it".to_owned(),
        Waiting::Evidence { seen } => {
            format!(
                "the watch is over, but too little was seen to call it good or bad ({seen}); waiting for more, or for `pilotage promote`"
            )
        }
        Waiting::Pause => "paused".to_owned(),
        Waiting::Retry(failure) => format!("trying again: {}", failure.reason),
        Waiting::Interlock(violation) => format!("held: {violation}"),
    }
}
