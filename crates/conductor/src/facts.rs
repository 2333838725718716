//! From what the target says to what the engine asks.

use pilotage_engine::judge::Reading;
use pilotage_engine::{Facts, TrafficState};
use pilotage_targets::{InstanceState, Observation};

/// Sums up the instances by version.
pub(crate) fn facts(observation: &Observation, reading: Option<Reading>) -> Facts {
    let mut facts = Facts { shares: observation.shares.clone(), reading, ..Facts::default() };
    for instance in &observation.instances {
        let known = facts.versions.contains_key(&instance.release.version);
        let state: &mut TrafficState = facts.versions.entry(instance.release.version.clone()).or_default();
        let digest = Some(&instance.release.digest);
        if !known {
            state.digest = digest.cloned();
        } else if state.digest.as_ref() != digest {
            // Two artifacts under one version: neither can be vouched for.
            state.digest = None;
        }
        match &instance.state {
            InstanceState::Ready => {
                state.ready += 1;
                state.alive += 1;
            }
            InstanceState::Starting | InstanceState::Unready | InstanceState::Waiting { .. } => {
                state.alive += 1
            }
            InstanceState::Failed { reason } => state.failed.push(reason.clone()),
            InstanceState::Stopping | InstanceState::Lost => {}
        }
    }
    facts
}
