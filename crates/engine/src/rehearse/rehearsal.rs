//! A plan that is ready to be played.

use pilotage_spec::Timestamp;
use thiserror::Error;

use super::course::Course;
use super::draw::Traffic;
use super::fault::{Beginning, Effect, Fault};
use super::player::Player;
use super::rollout::Rollout;
use super::scene::Scene;
use crate::simulate::Random;
use crate::{Deployment, DeploymentEvent, FoldError, Plan};

/// A plan that can be played against faults, as often as wanted.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    plan: Plan,
    course: Course,
    traffic: Traffic,
    faults: Vec<Fault>,
    /// As it stands once its gates have passed.
    begun: Deployment,
}

/// A fault that the plan never meets.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RehearsalError {
    /// There is no such step.
    #[error("the fault `{fault}` begins with step {wanted}, but this plan gives the candidate traffic in {} only", steps(*there))]
    NoSuchStep {
        /// The fault.
        fault: String,
        /// Its step.
        wanted: usize,
        /// The steps there are.
        there: usize,
    },
    /// The share is never reached.
    #[error("the fault `{fault}` begins at a share of the traffic that this plan never gives the candidate")]
    NoSuchShare {
        /// The fault.
        fault: String,
    },
    /// The plan cannot begin.
    #[error(transparent)]
    Fold(#[from] FoldError),
}

fn steps(number: usize) -> String {
    if number == 1 { "1 step".to_owned() } else { format!("{number} steps") }
}

impl Rehearsal {
    /// A plan, taken as allowed by its gates, with usual traffic and what goes wrong.
    ///
    /// # Errors
    /// If a fault begins at a point that the plan never comes to.
    pub fn new(plan: Plan, traffic: Traffic, faults: Vec<Fault>) -> Result<Self, RehearsalError> {
        let course = Course::of(&plan);
        faults.iter().try_for_each(|fault| meets(&course, fault))?;
        let now = Timestamp::default();
        let allowed = DeploymentEvent::GatesChecked { plan_hash: plan.hash(), results: Vec::new() };
        let started = DeploymentEvent::Started {
            plan: Box::new(plan.clone()),
            command: String::new(),
            asked: Box::default(),
        };
        let begun = Deployment::replay([(&started, now), (&allowed, now)])?;
        Ok(Self { plan, course, traffic, faults, begun })
    }

    /// The same plan while nothing goes wrong.
    #[must_use]
    pub fn without_fault(&self) -> Self {
        Self { faults: Vec::new(), ..self.clone() }
    }

    /// Whether anything goes wrong in it.
    pub fn has_fault(&self) -> bool {
        self.faults.iter().any(|fault| fault.effect != Effect::Nothing)
    }

    /// What is played.
    pub const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The course that it takes if nothing goes wrong.
    pub const fn course(&self) -> &Course {
        &self.course
    }

    /// Plays one of the rollouts of a seed. The same seed and number give the same one every time.
    pub fn play(&self, seed: u64, number: u64) -> Rollout {
        let scene = Scene::new(&self.plan, self.traffic, &self.faults, Random::of_run(seed, number));
        Player::new(scene, self.begun.clone(), self.course.whole).play()
    }
}

fn meets(course: &Course, fault: &Fault) -> Result<(), RehearsalError> {
    let named = || fault.to_string();
    match fault.beginning {
        Beginning::Step(wanted) if wanted > course.stages.len() => {
            Err(RehearsalError::NoSuchStep { fault: named(), wanted, there: course.stages.len() })
        }
        Beginning::Share(share) if share > course.greatest() => {
            Err(RehearsalError::NoSuchShare { fault: named() })
        }
        _ => Ok(()),
    }
}
