//! The conductor's part, played in memory.

use std::time::Duration;

use pilotage_spec::Timestamp;

use super::check::{self, Broken};
use super::random::Random;
use super::scenario::{Sabotage, Scenario};
use super::world::World;
use crate::event::Cause;
use crate::gate::{self, GateFacts, Serving};
use crate::plan::{PlanError, Purpose, Step};
use crate::{
    Action, ActionFailure, ActionResult, Decision, Deployment, DeploymentEvent, Outcome, Phase, Plan,
    Request, Split, Waiting, decide,
};

/// More decisions than any deployment needs.
const LIMIT: u32 = 4_000;
/// A control plane that never stays up long enough for a watch never finishes one; that is no fault of the engine.
const MOST_CRASHES: u32 = 12;

/// What became of one simulated deployment.
#[derive(Debug, Clone)]
pub struct Report {
    /// How it ended, if it did.
    pub outcome: Option<Outcome>,
    /// The first rule that was broken, if any.
    pub broken: Option<Broken>,
    /// One line a decision.
    pub trace: Vec<String>,
    /// Events recorded.
    pub events: usize,
}

/// Plays the deployment of a seed, with or without a fault planted into the engine.
pub fn run(seed: u64, sabotage: Option<Sabotage>) -> Report {
    let mut random = Random::new(seed);
    let (scenario, plan) = loop {
        let scenario = Scenario::draw(&mut random);
        match Plan::new(scenario.request.clone()) {
            Ok(plan) => break (scenario, plan),
            Err(PlanError::NoRoom { .. } | PlanError::NothingToTryBeside { .. }) => {}
            Err(error) => {
                let broken = Some(Broken::Fold(error.to_string()));
                return Report { outcome: None, broken, trace: Vec::new(), events: 0 };
            }
        }
    };
    let world = World::new(&scenario, &plan);
    let mut driver = Driver {
        random,
        world,
        scenario,
        sabotage,
        history: Vec::new(),
        trace: Vec::new(),
        asked: false,
        held: false,
        crashes: 0,
    };
    let broken = driver.play(plan).err();
    let outcome = driver.history.iter().find_map(|(event, _)| match event {
        DeploymentEvent::Completed { outcome, .. } => Some(*outcome),
        _ => None,
    });
    Report { outcome, broken, trace: driver.trace, events: driver.history.len() }
}

struct Driver {
    random: Random,
    world: World,
    scenario: Scenario,
    sabotage: Option<Sabotage>,
    history: Vec<(DeploymentEvent, Timestamp)>,
    trace: Vec<String>,
    asked: bool,
    /// It waits for evidence that may never come.
    held: bool,
    crashes: u32,
}

impl Driver {
    fn play(&mut self, plan: Plan) -> Result<(), Broken> {
        let mut deployment = self.begin(plan)?;
        for _ in 0..LIMIT {
            self.disturb(&mut deployment)?;
            let facts = self.world.facts(&mut self.random);
            let decision = self.tamper(&deployment, decide(&deployment, &facts, self.world.now));
            match decision {
                Decision::Finished(outcome) => {
                    return check::end(&deployment, &self.world, &self.scenario, outcome, self.asked);
                }
                Decision::Record(events) => {
                    for event in events {
                        self.record(&mut deployment, event)?;
                    }
                }
                Decision::Act(action) => self.act(&mut deployment, action)?,
                Decision::Wait { until, why } => self.wait(until, &why),
            }
        }
        Err(Broken::Endless(LIMIT))
    }

    fn begin(&mut self, plan: Plan) -> Result<Deployment, Broken> {
        let confirmation = self.scenario.confirmed.then(|| plan.request.workload.environment.to_string());
        let serving = match &plan.request.stable {
            Some(stable) => Serving::Release(stable.id.clone()),
            None => Serving::Nothing,
        };
        let (policy, serving) = (Some(plan.request.policy.clone()), Some(serving));
        let results =
            gate::check(&plan, &GateFacts { confirmation, policy, serving, ..GateFacts::default() });
        let checked = DeploymentEvent::GatesChecked { plan_hash: plan.hash(), results };
        let started = DeploymentEvent::Started {
            plan: Box::new(plan),
            command: "simulate".to_owned(),
            asked: Box::default(),
        };
        self.history.push((started, self.world.now));
        let mut deployment = self.replay()?;
        self.record(&mut deployment, checked)?;
        Ok(deployment)
    }

    fn replay(&self) -> Result<Deployment, Broken> {
        Deployment::replay(self.history.iter().map(|(event, at)| (event, *at)))
            .map_err(|error| Broken::Fold(error.to_string()))
    }

    fn record(&mut self, deployment: &mut Deployment, event: DeploymentEvent) -> Result<(), Broken> {
        self.trace.push(format!("{:>12} {}", self.world.now.as_micros(), describe(&event)));
        deployment.apply(&event, self.world.now).map_err(|error| Broken::Fold(error.to_string()))?;
        self.history.push((event, self.world.now));
        Ok(())
    }

    /// Crashes of the control plane, crashes of instances, and people.
    fn disturb(&mut self, deployment: &mut Deployment) -> Result<(), Broken> {
        if self.crashes < MOST_CRASHES
            && self.random.percent(self.scenario.faults / 3)
            && deployment.end.is_none()
        {
            self.crashes += 1;
            let replayed = self.replay()?;
            if replayed != *deployment {
                return Err(Broken::Fold("the replayed deployment differs from the lived one".to_owned()));
            }
            self.record(deployment, DeploymentEvent::Adopted)?;
        }
        if self.random.percent(self.scenario.faults / 6) {
            self.world.crash_stable(&mut self.random);
        }
        if self.random.percent(self.scenario.requests) && deployment.end.is_none() {
            self.asked = true;
            let request = self.random.pick([
                Request::Abort,
                Request::Pause,
                Request::Resume,
                Request::Resume,
                Request::Promote,
                Request::PromoteFully,
            ]);
            self.record(deployment, DeploymentEvent::Requested { request, reason: None })?;
        } else if self.lets_go(deployment) {
            self.record(deployment, DeploymentEvent::Requested { request: Request::Promote, reason: None })?;
        } else if deployment.paused && deployment.end.is_none() && self.random.percent(20) {
            self.record(deployment, DeploymentEvent::Requested { request: Request::Resume, reason: None })?;
        }
        Ok(())
    }

    /// Whether a person lets it go on: at a hold, or where too little was seen.
    fn lets_go(&mut self, deployment: &Deployment) -> bool {
        (deployment.phase() == Phase::Holding && self.random.percent(20))
            || (std::mem::take(&mut self.held) && deployment.is_watching() && self.random.percent(5))
    }

    /// Intent, effect, outcome; any of them may be the last that is heard of for a while.
    fn act(&mut self, deployment: &mut Deployment, action: Action) -> Result<(), Broken> {
        let (direction, step) = (deployment.course.direction, deployment.course.next);
        let attempt = deployment.course.attempts + 1;
        let intended = DeploymentEvent::Intended { direction, step, attempt, action: action.clone() };
        self.record(deployment, intended)?;
        let fault = self.random.percent(self.scenario.faults);
        if fault && self.random.percent(30) {
            self.trace.push("             (crash before the effect)".to_owned());
            return Ok(());
        }
        let lost = fault && self.random.percent(50);
        let done = !fault || lost;
        if done {
            check::effect(deployment, &self.world, &action)?;
            self.world.apply(&action, &mut self.random);
        }
        let took = Duration::from_millis(self.random.between(1, 300));
        self.world.pass(took, &mut self.random);
        if lost && self.random.percent(50) {
            self.trace.push("             (crash after the effect)".to_owned());
            return Ok(());
        }
        let result = if done && !lost {
            ActionResult::Done
        } else {
            let reason = "the target did not answer".to_owned();
            ActionResult::Failed(ActionFailure { reason, transient: self.random.percent(80) })
        };
        let duration_ms = took.as_millis().try_into().unwrap_or(u64::MAX);
        self.record(deployment, DeploymentEvent::Executed { direction, step, action, result, duration_ms })
    }

    fn wait(&mut self, until: Timestamp, why: &Waiting) {
        self.held = matches!(why, Waiting::Evidence { .. });
        let left = until.since(self.world.now).max(Duration::from_millis(1));
        // A watch is looked at several times; anything else ends when it ends.
        let step = if *why == Waiting::Watch { left.min(Duration::from_secs(10)) } else { left };
        self.world.pass(step, &mut self.random);
    }

    /// What a faulty engine would have decided.
    fn tamper(&mut self, deployment: &Deployment, decision: Decision) -> Decision {
        let step = deployment.course.step();
        match (self.sabotage, &decision, step) {
            (Some(Sabotage::RouteEarly), Decision::Wait { why: Waiting::Ready { version, .. }, .. }, _) => {
                Decision::Act(Action::Route(Split::all(version)))
            }
            (Some(Sabotage::RetireEarly), Decision::Wait { why: Waiting::Watch, .. }, _) => {
                let stable =
                    deployment.plan.stable().filter(|_| deployment.plan.request.purpose == Purpose::Deploy);
                match stable {
                    Some(version) => Decision::Act(Action::Retire { version: version.clone(), keep: 0 }),
                    None => decision,
                }
            }
            (Some(Sabotage::IgnoreGates), Decision::Record(_), Some(Step::Ensure { version, replicas }))
                if !deployment.gates_passed() =>
            {
                Decision::Act(Action::Ensure { version: version.clone(), replicas: *replicas })
            }
            (Some(Sabotage::IgnoreVerdicts), Decision::Record(events), _) => match events.last() {
                Some(DeploymentEvent::RollbackStarted { cause: Cause::Verdict { .. }, .. }) => {
                    Decision::Record(vec![passed(deployment)])
                }
                _ => decision,
            },
            (Some(Sabotage::StopHalfway), Decision::Act(Action::Retire { version, .. }), _)
                if version == deployment.plan.candidate() =>
            {
                Decision::Record(vec![DeploymentEvent::Completed {
                    outcome: Outcome::RolledBack,
                    reason: None,
                }])
            }
            _ => decision,
        }
    }
}

fn passed(deployment: &Deployment) -> DeploymentEvent {
    DeploymentEvent::HealthChecked {
        direction: deployment.course.direction,
        step: deployment.course.next,
        version: deployment.plan.candidate().clone(),
        verdict: crate::judge::Verdict::Pass,
        reading: None,
    }
}

fn describe(event: &DeploymentEvent) -> String {
    match event {
        DeploymentEvent::Intended { direction, step, action, .. } => {
            format!("{direction:?} {step} try {action:?}")
        }
        DeploymentEvent::Executed { direction, step, result, .. } => {
            format!("{direction:?} {step} {result:?}")
        }
        DeploymentEvent::HealthChecked { direction, step, verdict, .. } => {
            format!("{direction:?} {step} {verdict:?}")
        }
        DeploymentEvent::RollbackStarted { cause, .. } => format!("back: {}", cause.words()),
        DeploymentEvent::Completed { outcome, reason } => {
            format!("{outcome:?} {}", reason.clone().unwrap_or_default())
        }
        DeploymentEvent::Requested { request, .. } => format!("asked: {request:?}"),
        event => event.kind().to_owned(),
    }
}
