//! Waiting for what a target promises.

use std::time::Duration;

use pilotage_spec::Version;
use thiserror::Error;
use tokio::time::{Instant, timeout};

use super::subject::Subject;
use crate::{Instance, InstanceState, Observation, TargetError};

/// Long enough for any machine: only a promise that is never kept takes so long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Looked at again even without news, so that a target that announces nothing is told from one that does nothing.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A promise that was not kept.
#[derive(Debug, Error)]
#[error("{rule}: {found}")]
pub struct Violation {
    /// The rule.
    pub rule: &'static str,
    /// What was found instead.
    pub found: String,
}

/// What a check comes to: nothing, or what was found instead of what was promised.
pub(super) type Outcome = Result<(), String>;

/// For `map_err`: a call that should have worked.
pub(super) fn refused(error: TargetError) -> String {
    format!("the call failed: {error}")
}

/// What has to hold, and what is said if it does not.
pub(super) fn hold(condition: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if condition { Ok(()) } else { Err(otherwise()) }
}

/// An observation of the subject's workload.
pub(super) async fn observe(subject: &dyn Subject) -> Result<Observation, String> {
    subject.target().observe(&subject.workload()).await.map_err(refused)
}

/// Waits until an observation is as wanted.
pub(super) async fn until(
    subject: &dyn Subject,
    what: &str,
    wanted: impl Fn(&Observation) -> bool,
) -> Result<Observation, String> {
    let deadline = Instant::now() + PATIENCE;
    let mut changes = subject.target().changes();
    loop {
        changes.mark_unchanged();
        let observation = observe(subject).await?;
        if wanted(&observation) {
            return Ok(observation);
        }
        if Instant::now() > deadline {
            return Err(format!("waited in vain until {what}; last seen: {observation:?}"));
        }
        // Without news the look is taken all the same.
        let _ = timeout(LOOK_AGAIN, changes.changed()).await;
    }
}

/// Waits until so many instances of a version are ready.
pub(super) async fn until_ready(
    subject: &dyn Subject,
    version: &Version,
    count: usize,
) -> Result<Vec<Instance>, String> {
    let what = format!("{count} of {version} are ready");
    let observation = until(subject, &what, |seen| ready(seen, version).len() == count).await?;
    Ok(ready(&observation, version))
}

/// The ready instances of a version.
pub(super) fn ready(observation: &Observation, version: &Version) -> Vec<Instance> {
    let wanted =
        |instance: &&Instance| instance.release.version == *version && instance.state == InstanceState::Ready;
    observation.instances.iter().filter(wanted).cloned().collect()
}
