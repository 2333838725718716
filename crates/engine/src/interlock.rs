//! What must never happen, whoever asks for it. Checked before each effect.

use pilotage_spec::Version;
use thiserror::Error;

use crate::plan::Purpose;
use crate::{Action, Deployment, Direction, Facts, Split};

/// A share that needs an instance and no more: for requests that no user waits for.
const ANY: u32 = 1;

/// An effect that must not be done now.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Violation {
    /// Interlock 1: no traffic to a version with fewer ready instances than its share needs.
    #[error("{version} has {ready} ready instances, and its share of the traffic needs {needed}")]
    TooFewReady {
        /// The version.
        version: Version,
        /// Ready instances.
        ready: u32,
        /// Instances needed.
        needed: u32,
    },
    /// Interlock 2: the last good version is not retired before the new one has soaked.
    #[error("{version} is the last good version, and the new one has not soaked yet")]
    NotSoaked {
        /// The version that was to be retired.
        version: Version,
    },
    /// Interlock 3: at every point a way back exists that ends on a version that was good.
    #[error("{version} takes no part in this plan, so there would be no known way back from it")]
    NoWayBack {
        /// The version.
        version: Version,
    },
    /// Interlock 5: no change without a recorded, passing gate for that very plan.
    #[error("the gates have not passed this plan")]
    NotGated,
    /// Interlock 7: what is running is what was signed off.
    #[error("{version} runs something else than the artifact that was signed off")]
    WrongArtifact {
        /// The version.
        version: Version,
    },
}

/// Checks an effect against every interlock.
///
/// That only one deployment moves a service in an environment (interlock 4) is held by the lease that its holder must
/// have to record anything at all; that a rollback is always allowed (interlock 6), by asking no gate on the way back.
///
/// # Errors
/// Names the interlock that forbids it.
pub fn check(deployment: &Deployment, facts: &Facts, action: &Action) -> Result<(), Violation> {
    if deployment.course.direction == Direction::Forward && !deployment.gates_passed() {
        return Err(Violation::NotGated);
    }
    match action {
        Action::Ensure { version, .. } => takes_part(deployment, version),
        Action::Smoke { version } => enough_ready(facts, version, 1),
        Action::Route(split) => route(deployment, facts, split),
        Action::Retire { version, keep } => may_retire(deployment, facts, version, *keep),
    }
}

fn route(deployment: &Deployment, facts: &Facts, split: &Split) -> Result<(), Violation> {
    let shares = split.shares.iter().map(|(version, share)| (version, *share));
    // How many clients a cohort has is not known before they come: it may be all of them.
    let cohorts = split.cohorts.iter().map(|cohort| (&cohort.version, cohort.share));
    let mirror = split.mirror.iter().map(|mirror| (&mirror.version, ANY));
    let preview = split.preview.iter().map(|preview| (&preview.version, ANY));
    shares.chain(cohorts).chain(mirror).chain(preview).try_for_each(|(version, share)| {
        takes_part(deployment, version)?;
        enough_ready(facts, version, needed(deployment, version, share))?;
        signed_off(deployment, facts, version)
    })
}

/// On the way back one instance less is enough; see [`crate::Plan::enough_to_go_back`].
fn needed(deployment: &Deployment, version: &Version, share: u32) -> u32 {
    let plan = &deployment.plan;
    let needed = plan.needed(version, share);
    match deployment.course.direction {
        Direction::Back if Some(version) == plan.stable() => needed.min(plan.enough_to_go_back()),
        _ => needed,
    }
}

fn takes_part(deployment: &Deployment, version: &Version) -> Result<(), Violation> {
    match deployment.plan.release(version) {
        Some(_) => Ok(()),
        None => Err(Violation::NoWayBack { version: version.clone() }),
    }
}

fn enough_ready(facts: &Facts, version: &Version, needed: u32) -> Result<(), Violation> {
    let ready = facts.ready(version);
    if ready >= needed {
        return Ok(());
    }
    Err(Violation::TooFewReady { version: version.clone(), ready, needed })
}

fn signed_off(deployment: &Deployment, facts: &Facts, version: &Version) -> Result<(), Violation> {
    let planned = deployment.plan.release(version).map(|release| &release.id.digest);
    let running = facts.versions.get(version).and_then(|state| state.digest.as_ref());
    if planned.is_some() && planned == running {
        return Ok(());
    }
    Err(Violation::WrongArtifact { version: version.clone() })
}

fn may_retire(deployment: &Deployment, facts: &Facts, version: &Version, keep: u32) -> Result<(), Violation> {
    let beside = if facts.beside.contains(version) { ANY } else { 0 };
    let needed = deployment.plan.needed(version, facts.share(version).max(beside));
    if keep < needed {
        return Err(Violation::TooFewReady { version: version.clone(), ready: keep, needed });
    }
    let plan = &deployment.plan;
    let last_good = plan.stable() == Some(version) && plan.candidate() != version;
    let careful = plan.request.purpose != Purpose::Restore && !plan.takes_downtime();
    if last_good && careful && keep == 0 && !deployment.soaked() {
        return Err(Violation::NotSoaked { version: version.clone() });
    }
    Ok(())
}
