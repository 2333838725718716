//! What must never happen, checked from the world's side.

use pilotage_spec::{Inconclusive, StrategyKind, Version};
use thiserror::Error;

use super::scenario::{Behaviour, Scenario};
use super::world::World;
use crate::plan::Purpose;
use crate::{Action, Deployment, Direction, Outcome, Split};

/// A rule that was broken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Broken {
    /// Users were sent to instances that were not there.
    #[error("{version} got {share} of 10,000 with {ready} of {capacity} instances ready")]
    Overload {
        /// The version.
        version: Version,
        /// Its share.
        share: u32,
        /// Its ready instances.
        ready: u32,
        /// The instances that would carry everything.
        capacity: u32,
    },
    /// The shares do not make a whole.
    #[error("the shares add up to {0} of 10,000")]
    Shares(u32),
    /// The old version was gone too early.
    #[error("the old version was retired before the new one had soaked")]
    NotSoaked,
    /// Something was done without a passing gate.
    #[error("an effect was done though no gate had passed the plan")]
    NotGated,
    /// Another artifact than the planned one got traffic.
    #[error("another artifact than the planned one got traffic")]
    WrongArtifact,
    /// The history folds to something else than what was lived through.
    #[error("the history does not fold to the state that made it: {0}")]
    Fold(String),
    /// It never ended.
    #[error("it did not end within {0} decisions")]
    Endless(u32),
    /// It ended as one thing and the world is another.
    #[error("it ended as {outcome:?}, but {what}")]
    Untrue {
        /// The recorded outcome.
        outcome: Outcome,
        /// What is wrong.
        what: String,
    },
}

/// Checks an effect against the world as it is just before it.
pub(super) fn effect(deployment: &Deployment, world: &World, action: &Action) -> Result<(), Broken> {
    let forward = deployment.course.direction == Direction::Forward;
    if forward && !deployment.gates_passed() {
        return Err(Broken::NotGated);
    }
    match action {
        Action::Route(split) => route(deployment, world, split),
        Action::Retire { version, keep: 0 } if world.split.reaches(version) => Err(Broken::Overload {
            version: version.clone(),
            share: world.split.share(version),
            ready: 0,
            capacity: 1,
        }),
        Action::Retire { version, keep: 0 } if forward && Some(version) == deployment.plan.stable() => {
            soaked(deployment, world, version)
        }
        _ => Ok(()),
    }
}

fn route(deployment: &Deployment, world: &World, split: &Split) -> Result<(), Broken> {
    let sum: u32 = split.shares.iter().map(|(_, share)| share).sum();
    if !split.shares.is_empty() && sum != 10_000 {
        return Err(Broken::Shares(sum));
    }
    let cohorts = split.cohorts.iter().map(|cohort| (&cohort.version, cohort.share));
    let copies = split.mirror.iter().map(|mirror| (&mirror.version, 1));
    let shares = split.shares.iter().map(|(version, share)| (version, *share));
    let mut all = shares.chain(cohorts).chain(copies);
    all.try_for_each(|(version, share)| serves(deployment, world, version, share))
}

fn serves(deployment: &Deployment, world: &World, version: &Version, share: u32) -> Result<(), Broken> {
    let plan = &deployment.plan;
    let capacity =
        if Some(version) == plan.stable() { plan.stable_capacity } else { plan.candidate_capacity };
    let ready = world.ready(version);
    // On the way back one instance may be missing.
    let missing = u64::from(deployment.course.direction == Direction::Back);
    // An instance more or less is a hundredth of a percent here.
    let carried = (u64::from(ready) + missing) * 10_000 + u64::from(capacity);
    if share > 0 && (ready == 0 || carried < u64::from(share) * u64::from(capacity)) {
        return Err(Broken::Overload { version: version.clone(), share, ready, capacity });
    }
    if world.digest(version) != plan.release(version).map(|release| &release.id.digest) {
        return Err(Broken::WrongArtifact);
    }
    Ok(())
}

fn soaked(deployment: &Deployment, world: &World, version: &Version) -> Result<(), Broken> {
    let request = &deployment.plan.request;
    let moves = request.purpose == Purpose::Deploy && version != deployment.plan.candidate();
    if !moves || deployment.plan.takes_downtime() {
        return Ok(());
    }
    let soak = request.strategy.soak;
    match world.full_since {
        Some(since) if world.now.since(since) >= soak => Ok(()),
        _ => Err(Broken::NotSoaked),
    }
}

/// Checks the end against the world.
pub(super) fn end(
    deployment: &Deployment,
    world: &World,
    scenario: &Scenario,
    outcome: Outcome,
    asked: bool,
) -> Result<(), Broken> {
    let plan = &deployment.plan;
    let untrue = |what: &str| Err(Broken::Untrue { outcome, what: what.to_owned() });
    let candidate = plan.candidate();
    let quiet = scenario.faults == 0 && !asked;
    let copied = plan.baseline.as_ref().is_some_and(|copy| world.alive(&copy.id.version) > 0);
    if copied && (outcome == Outcome::RolledBack || scenario.faults == 0) {
        return untrue("the copy of the old version is still there");
    }
    match outcome {
        Outcome::Succeeded => {
            if !world.split.is_all(candidate) {
                return untrue("the new version does not serve everybody");
            }
            if scenario.faults == 0
                && plan.stable().is_some_and(|old| old != candidate && world.alive(old) > 0)
            {
                return untrue("the old version is still there");
            }
            if never_promotes(scenario) {
                return untrue("nothing was to be promoted");
            }
            if noticeable(scenario) && !asked && plan.request.purpose == Purpose::Deploy {
                return untrue("the new version is plainly bad");
            }
        }
        Outcome::RolledBack | Outcome::Failed => {
            if quiet && scenario.behaviour == Behaviour::Good && !may_be_inconclusive(scenario) {
                return untrue("nothing was wrong with the new version");
            }
            if outcome == Outcome::RolledBack || quiet {
                if world.alive(candidate) > 0 && world.split.reaches(candidate) {
                    return untrue("the new version still serves");
                }
                if plan.stable().is_some_and(|stable| !world.split.is_all(stable)) {
                    return untrue("the old version does not serve everybody");
                }
            }
            if outcome == Outcome::RolledBack && world.alive(candidate) > 0 {
                return untrue("the new version is still there");
            }
        }
        Outcome::Concluded => {
            if plan.stable().is_none_or(|stable| !world.split.is_all(stable)) {
                return untrue("the old version does not serve everybody");
            }
            if scenario.faults == 0 && world.alive(candidate) > 0 {
                return untrue("the version that was tried out is still there");
            }
        }
        Outcome::Refused => {
            if deployment.gates_passed() {
                return untrue("the gates had passed");
            }
        }
    }
    Ok(())
}

/// Whether the strategy ends with the stable version, whatever it shows.
fn never_promotes(scenario: &Scenario) -> bool {
    let request = &scenario.request;
    let never = match &request.strategy.kind {
        StrategyKind::Shadow { .. } => true,
        StrategyKind::Ab { trial } => !trial.promotes,
        _ => false,
    };
    never && request.purpose == Purpose::Deploy
}

/// Whether a release may be taken back only because too little was seen of it.
fn may_be_inconclusive(scenario: &Scenario) -> bool {
    matches!(scenario.request.policy.inconclusive, Inconclusive::Extend | Inconclusive::RollBack)
}

/// Whether a new version is so bad, and so busy, that no watch can miss it.
fn noticeable(scenario: &Scenario) -> bool {
    let errors = matches!(scenario.behaviour, Behaviour::Errors(percent) if percent >= 20);
    errors && scenario.rps >= 100 && scenario.request.stable.is_some()
}
