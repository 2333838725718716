//! A deployment as its history tells it: nothing is remembered that is not an event.

use std::collections::BTreeMap;

use pilotage_spec::{AlertCause, Digest, Timestamp, Version};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::approval::Statement;
use crate::event::{Asked, Cause, DeploymentEvent, Outcome, Request};
use crate::gate::{GateResult, may_pass_later};
use crate::judge::Verdict;
use crate::plan::{Plan, Step};
use crate::{Action, ActionFailure, ActionResult};

/// Which way a deployment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards the new version.
    Forward,
    /// Back to the stable one.
    Back,
}

/// The list of steps that is being taken, and how far.
#[derive(Debug, Clone, PartialEq)]
pub struct Course {
    /// Which way.
    pub direction: Direction,
    /// The steps.
    pub steps: Vec<Step>,
    /// The number of the step that is being taken, from 0; the number of steps when all are.
    pub next: usize,
    /// When this course was set.
    pub set_at: Timestamp,
    /// When the step that is being taken began.
    pub since: Timestamp,
    /// An effect whose end is not known: it was about to be tried, and nothing was heard since.
    pub intended: Option<Action>,
    /// How often the step's effect was tried.
    pub attempts: u32,
    /// How the last try failed, and when.
    pub failure: Option<(ActionFailure, Timestamp)>,
}

/// What people want to know first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nothing has been done yet: a gate waits for somebody, or for its time.
    Waiting,
    /// Steps are being taken.
    Moving,
    /// Everybody is served by the new version; the old one is kept warm.
    Soaking,
    /// Somebody asked for a pause.
    Paused,
    /// It waits for a person to let it go on.
    Holding,
    /// It is being taken back.
    RollingBack,
    /// Its trial is over, and the version that was tried out is stopped.
    Concluding,
    /// It is over.
    Ended,
}

/// A deployment, folded from its events.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// What was planned.
    pub plan: Plan,
    /// The plan's hash, which gates bind to.
    pub plan_hash: Digest,
    /// What was typed or called.
    pub command: String,
    /// What was given with the request for the gates to look at.
    pub asked: Asked,
    /// When it was asked for.
    pub started_at: Timestamp,
    /// What the gates said of this very plan; `None` until they were asked.
    pub gates: Option<Vec<GateResult>>,
    /// Whether a gate was found waiting once, and none refusing: since then it is held until all pass.
    pub held: bool,
    /// What people have said of the plan, oldest first.
    pub statements: Vec<Statement>,
    /// When those who can let it pass were last asked or reminded.
    pub reminded_at: Timestamp,
    /// The steps that are being taken.
    pub course: Course,
    /// Somebody asked for a pause.
    pub paused: bool,
    /// Somebody asked to end the watch or the hold that runs now.
    pub promoted: bool,
    /// Somebody asked to skip every watch and hold but the soak.
    pub promoted_fully: bool,
    /// Somebody asked to take it back, perhaps with a reason.
    pub aborted: Option<Option<String>>,
    /// The first alert from outside that takes it back.
    pub alert: Option<Box<AlertCause>>,
    /// How many instances of each version there are to be, from the effects done so far.
    pub wanted: BTreeMap<Version, u32>,
    /// Users have been served by the new version, by share or by cohort.
    pub traffic_moved: bool,
    /// The new version has had requests at all: those of users, or copies that no user depends on.
    pub tried: bool,
    /// When the judge last spoke, and what it said.
    pub last_verdict: Option<(Timestamp, Verdict)>,
    /// Why it is being taken back.
    pub cause: Option<Cause>,
    /// How it ended, why, and when.
    pub end: Option<(Outcome, Option<String>, Timestamp)>,
}

/// A history that no deployment can have had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FoldError {
    /// There is no event, or the first one does not start a deployment.
    #[error("the history does not begin with the start of a deployment")]
    NoStart,
    /// A second start.
    #[error("the history starts the deployment twice")]
    StartedTwice,
    /// An event after the end.
    #[error("the history goes on after its end")]
    AfterEnd,
    /// An event about a step that is not being taken.
    #[error("the history speaks of step {found} ({direction:?}) while step {expected} is being taken")]
    WrongStep {
        /// The step it speaks of.
        found: usize,
        /// The step that is being taken.
        expected: usize,
        /// The direction it speaks of.
        direction: Direction,
    },
}

impl Deployment {
    /// Folds a whole history.
    ///
    /// # Errors
    /// Fails if no deployment can have had that history.
    pub fn replay<'a>(
        history: impl IntoIterator<Item = (&'a DeploymentEvent, Timestamp)>,
    ) -> Result<Self, FoldError> {
        let mut history = history.into_iter();
        let Some((DeploymentEvent::Started { plan, command, asked }, at)) = history.next() else {
            return Err(FoldError::NoStart);
        };
        let mut deployment = Self::start((**plan).clone(), command.clone(), (**asked).clone(), at);
        for (event, at) in history {
            deployment.apply(event, at)?;
        }
        Ok(deployment)
    }

    fn start(plan: Plan, command: String, asked: Asked, at: Timestamp) -> Self {
        let plan_hash = plan.hash();
        let course = Course::new(Direction::Forward, plan.steps.clone(), at);
        let wanted =
            plan.stable().map(|stable| (stable.clone(), plan.request.stable_replicas)).into_iter().collect();
        Self {
            plan,
            plan_hash,
            command,
            asked,
            started_at: at,
            gates: None,
            held: false,
            statements: Vec::new(),
            reminded_at: at,
            course,
            paused: false,
            promoted: false,
            promoted_fully: false,
            aborted: None,
            alert: None,
            wanted,
            traffic_moved: false,
            tried: false,
            last_verdict: None,
            cause: None,
            end: None,
        }
    }

    /// Takes in one more event.
    ///
    /// # Errors
    /// Fails if the event cannot follow what has happened.
    pub fn apply(&mut self, event: &DeploymentEvent, at: Timestamp) -> Result<(), FoldError> {
        if self.end.is_some() {
            return Err(FoldError::AfterEnd);
        }
        match event {
            DeploymentEvent::Started { .. } => return Err(FoldError::StartedTwice),
            DeploymentEvent::GatesChecked { plan_hash, results } => {
                // A result for another plan says nothing about this one.
                if *plan_hash == self.plan_hash {
                    self.held |= may_pass_later(results);
                    self.gates = Some(results.clone());
                    self.course.restart(at);
                }
            }
            DeploymentEvent::Stated { opinion, by, plan_hash, reason } => self.statements.push(Statement {
                opinion: *opinion,
                by: (**by).clone(),
                plan_hash: plan_hash.clone(),
                reason: reason.clone(),
                at,
            }),
            DeploymentEvent::Reminded { .. } => self.reminded_at = at,
            DeploymentEvent::Intended { direction, step, attempt, action } => {
                self.expect_step(*direction, *step)?;
                self.course.intended = Some(action.clone());
                self.course.attempts = *attempt;
            }
            DeploymentEvent::Executed { direction, step, action, result, .. } => {
                self.expect_step(*direction, *step)?;
                self.executed(action, result, at);
            }
            DeploymentEvent::HealthChecked { direction, step, verdict, .. } => {
                self.expect_step(*direction, *step)?;
                self.last_verdict = Some((at, *verdict));
                if *verdict != Verdict::Fail {
                    self.promoted = false;
                    self.course.advance(at);
                }
            }
            DeploymentEvent::Requested { request, reason } => self.requested(*request, reason, at),
            DeploymentEvent::Alerted { alert } => {
                self.alert.get_or_insert_with(|| alert.clone());
            }
            DeploymentEvent::Adopted => {
                // Nobody looked and nothing was tried meanwhile: no limit may count that time.
                self.course.restart(at);
                self.course.failure = None;
            }
            DeploymentEvent::ClockStepped { by_micros } => self.course.shift(*by_micros),
            DeploymentEvent::RollbackStarted { cause, steps } => {
                self.cause = Some(cause.clone());
                self.course = Course::new(Direction::Back, steps.clone(), at);
            }
            DeploymentEvent::Completed { outcome, reason } => self.end = Some((*outcome, reason.clone(), at)),
        }
        Ok(())
    }

    fn expect_step(&self, direction: Direction, step: usize) -> Result<(), FoldError> {
        if direction == self.course.direction && step == self.course.next {
            return Ok(());
        }
        Err(FoldError::WrongStep { found: step, expected: self.course.next, direction })
    }

    fn executed(&mut self, action: &Action, result: &ActionResult, at: Timestamp) {
        match result {
            ActionResult::Done => {
                self.done(action);
                self.course.advance(at);
            }
            ActionResult::Failed(failure) => {
                self.course.intended = None;
                self.course.failure = Some((failure.clone(), at));
            }
        }
    }

    fn done(&mut self, action: &Action) {
        match action {
            Action::Ensure { version, replicas } => {
                let wanted = self.wanted.entry(version.clone()).or_default();
                *wanted = (*wanted).max(*replicas);
            }
            Action::Retire { version, keep } => {
                self.wanted.insert(version.clone(), *keep);
            }
            Action::Route(split) => {
                let candidate = self.plan.candidate();
                self.traffic_moved |= split.serves(candidate);
                self.tried |= split.reaches(candidate);
            }
            Action::Smoke { .. } => {}
        }
    }

    fn requested(&mut self, request: Request, reason: &Option<String>, at: Timestamp) {
        match request {
            // Asked twice, the second one must not end the watch after this one too.
            Request::Promote => self.promoted = self.is_watching(),
            Request::PromoteFully => self.promoted_fully = true,
            Request::Abort => self.aborted = Some(reason.clone()),
            Request::Pause => self.paused = true,
            Request::Resume => {
                self.paused = false;
                if !self.is_watching() {
                    self.course.since = at;
                }
            }
        }
    }

    /// Whether a watch that may be ended early, or a hold, is being taken.
    pub fn is_watching(&self) -> bool {
        self.course.direction == Direction::Forward
            && matches!(self.course.step(), Some(Step::Watch { soak: false, .. } | Step::Hold))
    }

    /// Whether it goes back because its trial is over, and not because anything is wrong.
    pub fn is_concluding(&self) -> bool {
        self.cause.as_ref().is_some_and(Cause::is_planned)
    }

    /// Whether every gate that applies has passed this very plan. Not asked means no.
    pub fn gates_passed(&self) -> bool {
        let passed = |results: &Vec<GateResult>| results.iter().all(|gate| gate.outcome.lets_pass());
        self.gates.as_ref().is_some_and(passed)
    }

    /// Whether it is held until its gates pass: nothing has been done yet.
    pub fn is_waiting(&self) -> bool {
        self.end.is_none() && self.held && !self.gates_passed()
    }

    /// The gates that do not pass, as they were found last.
    pub fn open_gates(&self) -> impl Iterator<Item = &GateResult> {
        self.gates.iter().flatten().filter(|gate| !gate.outcome.lets_pass())
    }

    /// Whether every watch of the plan is behind it, the soak included.
    pub fn soaked(&self) -> bool {
        let course = &self.course;
        let watches = |step: &Step| matches!(step, Step::Watch { .. });
        course.direction == Direction::Forward && !course.steps.iter().skip(course.next).any(watches)
    }

    /// Where it stands, in one word.
    pub fn phase(&self) -> Phase {
        if self.end.is_some() {
            Phase::Ended
        } else if self.is_waiting() {
            Phase::Waiting
        } else if self.course.direction == Direction::Back {
            if self.is_concluding() { Phase::Concluding } else { Phase::RollingBack }
        } else if self.paused {
            Phase::Paused
        } else if matches!(self.course.step(), Some(Step::Watch { soak: true, .. })) {
            Phase::Soaking
        } else if self.course.step() == Some(&Step::Hold) {
            Phase::Holding
        } else {
            Phase::Moving
        }
    }
}

impl Course {
    fn new(direction: Direction, steps: Vec<Step>, at: Timestamp) -> Self {
        Self { direction, steps, next: 0, set_at: at, since: at, intended: None, attempts: 0, failure: None }
    }

    /// The step that is being taken, unless all are.
    pub fn step(&self) -> Option<&Step> {
        self.steps.get(self.next)
    }

    /// Whether every switch of the traffic is behind it.
    pub fn is_switched(&self) -> bool {
        !self.steps.iter().skip(self.next).any(|step| matches!(step, Step::Route(_)))
    }

    /// Counts the time from here on.
    fn restart(&mut self, at: Timestamp) {
        self.set_at = at;
        self.since = at;
    }

    /// Moves what has begun by a step of the clock.
    fn shift(&mut self, by_micros: i64) {
        self.set_at = self.set_at.shifted(by_micros);
        self.since = self.since.shifted(by_micros);
        if let Some((_, at)) = &mut self.failure {
            *at = at.shifted(by_micros);
        }
    }

    fn advance(&mut self, at: Timestamp) {
        self.next += 1;
        self.since = at;
        self.intended = None;
        self.attempts = 0;
        self.failure = None;
    }
}
