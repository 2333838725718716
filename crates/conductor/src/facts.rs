//! From what the target says to what the engine asks.

use pilotage_engine::judge::Reading;
use pilotage_engine::{Facts, TrafficState};
use pilotage_spec::Timestamp;
use pilotage_targets::{InstanceState, Observation};

/// Sums up the instances by version. An instance that was given up before `since`, when the deployment began, says nothing
/// about what the deployment does.
pub(crate) fn facts(observation: &Observation, reading: Option<Reading>, since: Timestamp) -> Facts {
    let mut facts =
        Facts { shares: observation.shares(), beside: observation.beside(), reading, ..Facts::default() };
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
            InstanceState::Failed { reason } if instance.started_at.is_none_or(|at| at >= since) => {
                state.failed.push(format!("instance {}: {reason}", instance.name));
            }
            InstanceState::Failed { .. } | InstanceState::Stopping | InstanceState::Lost => {}
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use pilotage_spec::{Digest, ReleaseId, Version};
    use pilotage_targets::Instance;

    use super::*;

    fn instance(version: &str, digest: u8, state: InstanceState) -> Instance {
        Instance {
            name: "api-1".to_owned(),
            release: ReleaseId {
                version: version.parse().unwrap(),
                digest: Digest::from_bytes([digest; 32]),
            },
            state,
            address: None,
            pid: None,
            started_at: None,
            restarts: 0,
            probe_failures: 0,
            cpu_millis: None,
            memory_bytes: None,
        }
    }

    fn summed(instances: Vec<Instance>) -> Facts {
        let at = Timestamp::from_micros(0);
        facts(&Observation { at, instances, traffic: None }, None, Timestamp::from_micros(5))
    }

    #[test]
    fn only_ready_instances_are_ready_and_only_living_ones_alive() {
        let failed = InstanceState::Failed { reason: "it ended".to_owned() };
        let waiting = InstanceState::Waiting { reason: "it ended".to_owned() };
        let states = [
            InstanceState::Ready,
            InstanceState::Starting,
            InstanceState::Unready,
            waiting,
            failed,
            InstanceState::Stopping,
            InstanceState::Lost,
        ];
        let facts = summed(states.map(|state| instance("1.0.0", 1, state)).into());
        let version: Version = "1.0.0".parse().unwrap();
        assert_eq!((facts.ready(&version), facts.alive(&version)), (1, 4));
        assert_eq!(facts.failures(&version), ["instance api-1: it ended"]);
    }

    #[test]
    fn what_was_given_up_before_says_nothing_about_now() {
        let failed = |started_at| Instance {
            started_at,
            ..instance("1.0.0", 1, InstanceState::Failed { reason: "it ended".to_owned() })
        };
        let failures = |started_at| {
            let facts = summed(vec![failed(started_at)]);
            facts.failures(&"1.0.0".parse().unwrap()).len()
        };
        assert_eq!(failures(Some(Timestamp::from_micros(4))), 0);
        assert_eq!(failures(Some(Timestamp::from_micros(6))), 1);
        assert_eq!(failures(None), 1);
    }

    #[test]
    fn two_artifacts_under_one_version_vouch_for_neither() {
        let ready = |digest| instance("1.0.0", digest, InstanceState::Ready);
        let digest = |instances| summed(instances).versions.into_values().next().unwrap().digest;
        assert_eq!(digest(vec![ready(1), ready(1)]), Some(Digest::from_bytes([1; 32])));
        assert_eq!(digest(vec![ready(1), ready(2)]), None);
        assert_eq!(digest(vec![ready(1), ready(2), ready(2)]), None);
    }
}
