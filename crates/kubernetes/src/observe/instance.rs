//! A pod as an instance.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pilotage_spec::{Digest, ReleaseId, Timestamp};
use pilotage_targets::{Address, Instance, InstanceState};

use crate::generate::{CONTAINER, FAILURES};
use crate::names::{RELEASE, SPEC};
use crate::rollout::{self, PodState, Trouble, running_since, service, terminated_last, timestamp};

use super::version::{Kept, annotation};

/// How long a pod may take to get ready where nothing says it.
pub(crate) const DEFAULT_LIMIT: Duration = Duration::from_secs(600);

/// An instance, and what keeps it from being ready if something does.
pub(crate) struct Seen {
    /// The instance.
    pub instance: Instance,
    /// What keeps it from being ready.
    pub trouble: Option<Trouble>,
}

/// What a pod is, from its own words and those of what keeps it up.
pub(super) fn instance(kept: &Kept, pod: &Pod, now: Timestamp) -> Seen {
    let recorded = release_of(&pod.metadata).or_else(|| kept.release());
    let (release, foreign) = release(kept, pod, recorded);
    let (state, trouble) = match rollout::state(pod, kept.limit(), now) {
        PodState::Starting => (InstanceState::Starting, None),
        PodState::Ready if is_outdated(kept, pod) => (InstanceState::Unready, None),
        PodState::Ready => (InstanceState::Ready, None),
        PodState::Unready => (InstanceState::Unready, Some(Trouble::Probe)),
        PodState::Held(trouble) => (InstanceState::Waiting { reason: String::new() }, Some(trouble)),
        PodState::Failed(trouble) => (InstanceState::Failed { reason: String::new() }, Some(trouble)),
        PodState::Stopping => (InstanceState::Stopping, None),
        PodState::Lost => (InstanceState::Lost, None),
    };
    let (state, trouble) = match foreign {
        Some(reason) if !matches!(state, InstanceState::Stopping | InstanceState::Lost) => {
            (InstanceState::Failed { reason }, None)
        }
        _ => (state, trouble),
    };
    let status = pod.status.as_ref();
    let container = status.and_then(service);
    let started = container.and_then(|container| {
        let last = terminated_last(container).and_then(|ended| ended.started_at.as_ref());
        running_since(container).or(last)
    });
    let probe_failures = if trouble == Some(Trouble::Probe) && state == InstanceState::Unready {
        FAILURES.unsigned_abs()
    } else {
        0
    };
    let instance = Instance {
        name: pod.metadata.name.clone().unwrap_or_default(),
        release,
        state,
        address: address(pod),
        pid: None,
        started_at: started.map(timestamp),
        restarts: container.map_or(0, |container| container.restart_count.unsigned_abs()),
        probe_failures,
        cpu_millis: None,
        memory_bytes: None,
    };
    Seen { instance, trouble }
}

/// Its settings are about to be replaced: it is not what was asked for last.
fn is_outdated(kept: &Kept, pod: &Pod) -> bool {
    if kept.is_behind() {
        return true;
    }
    let wanted = kept.spec();
    let adopted = kept.adopted_selector().is_some();
    !adopted && wanted.is_some() && annotation(&pod.metadata, SPEC) != wanted
}

/// What it runs: what is recorded, if the image says the same; with a reason if it says something else.
fn release(kept: &Kept, pod: &Pod, recorded: Option<ReleaseId>) -> (ReleaseId, Option<String>) {
    let image = container(pod).and_then(|container| container.image.as_deref()).unwrap_or_default();
    let found = digest_of(image).or_else(|| image_digest(pod));
    let Some(recorded) = recorded else {
        // Labelled as ours, and made by somebody else.
        let release =
            ReleaseId { version: unknown_version(), digest: found.unwrap_or(Digest::from_bytes([0; 32])) };
        return (
            release,
            Some(format!("it is labelled as ours and does not say what it is; it runs {image}")),
        );
    };
    match found {
        Some(found) if found != recorded.digest && !has_substitute(kept, pod) => {
            let reason = format!(
                "it runs {image}, and {} of {} was asked for; somebody has changed what keeps it up",
                recorded.digest, recorded.version
            );
            (ReleaseId { version: recorded.version, digest: found }, Some(reason))
        }
        _ => (recorded, None),
    }
}

/// An adopted pod is named by a tag, and what a runtime calls its image is its own affair.
fn has_substitute(kept: &Kept, pod: &Pod) -> bool {
    let image = container(pod).and_then(|container| container.image.as_deref()).unwrap_or_default();
    kept.adopted_selector().is_some()
        && digest_of(image).is_none()
        && kept.spec().map(String::as_str) == Some(image)
}

fn unknown_version() -> pilotage_spec::Version {
    // A constant that the parser accepts; the test below shows it.
    #[expect(clippy::unwrap_used, reason = "a constant; see the test")]
    "0.0.0-unknown".parse().unwrap()
}

/// The container of the service.
fn container(pod: &Pod) -> Option<&Container> {
    let containers = &pod.spec.as_ref()?.containers;
    containers.iter().find(|container| container.name == CONTAINER).or_else(|| containers.first())
}

/// The release that an object says it is of.
pub(crate) fn release_of(metadata: &ObjectMeta) -> Option<ReleaseId> {
    serde_json::from_str(annotation(metadata, RELEASE)?).ok()
}

/// The digest in the name of an image, if there is one.
pub(crate) fn digest_of(image: &str) -> Option<Digest> {
    image.rsplit_once('@')?.1.parse().ok()
}

/// The digest of the image that a pod's container runs, as its runtime says it.
pub(crate) fn image_digest(pod: &Pod) -> Option<Digest> {
    digest_of(&service(pod.status.as_ref()?)?.image_id)
}

/// Where it answers.
pub(super) fn address(pod: &Pod) -> Option<Address> {
    let ip: IpAddr = pod.status.as_ref()?.pod_ip.as_ref()?.parse().ok()?;
    let port = container(pod)?.ports.as_ref()?.first()?.container_port;
    Some(Address::Tcp(SocketAddr::new(ip, u16::try_from(port).ok()?)))
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::Deployment;
    use serde_json::{Value, json};

    use super::super::version::Keeper;
    use super::*;

    const GOOD: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const OTHER: &str = "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

    fn now() -> Timestamp {
        Timestamp::from_micros(0)
    }

    fn release_text() -> String {
        format!("{{\"version\":\"1.2.0\",\"digest\":\"{GOOD}\"}}")
    }

    fn kept(generation: i64, spec: &str) -> Kept {
        let deployment: Deployment = serde_json::from_value(json!({
            "metadata": {"name": "api-v1-2-0", "generation": generation,
                         "annotations": {"pilotage.dev/release": release_text(), "pilotage.dev/spec": spec}},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {}},
            "status": {"observedGeneration": 1}
        }))
        .unwrap();
        Kept { keeper: Keeper::Deployment(Box::new(deployment)), pods: Vec::new() }
    }

    fn pod(image: &str, ready: bool) -> Pod {
        let status: Value = json!({
            "phase": "Running", "podIP": "10.0.0.7",
            "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}]
        });
        serde_json::from_value(json!({
            "metadata": {"name": "api-v1-2-0-x", "annotations":
                         {"pilotage.dev/release": release_text(), "pilotage.dev/spec": "abc"}},
            "spec": {"containers": [{"name": "service", "image": image, "ports": [{"containerPort": 8080}]}]},
            "status": status
        }))
        .unwrap()
    }

    #[test]
    fn a_ready_pod_is_a_ready_instance_of_its_release() {
        let seen = instance(&kept(1, "abc"), &pod(&format!("shop/api@{GOOD}"), true), now());
        assert_eq!(seen.instance.state, InstanceState::Ready);
        assert_eq!(seen.instance.release.version.to_string(), "1.2.0");
        assert_eq!(seen.instance.address, Some(Address::Tcp("10.0.0.7:8080".parse().unwrap())));
    }

    #[test]
    fn it_is_not_ready_while_what_keeps_it_up_is_being_changed() {
        let pod = pod(&format!("shop/api@{GOOD}"), true);
        assert_eq!(instance(&kept(2, "abc"), &pod, now()).instance.state, InstanceState::Unready);
        assert_eq!(instance(&kept(1, "new"), &pod, now()).instance.state, InstanceState::Unready);
    }

    #[test]
    fn an_image_that_nobody_asked_for_is_no_instance_of_the_release() {
        let seen = instance(&kept(1, "abc"), &pod(&format!("shop/api@{OTHER}"), true), now());
        assert_eq!(seen.instance.release.digest.to_string(), OTHER);
        let InstanceState::Failed { reason } = seen.instance.state else { panic!("{:?}", seen.instance) };
        assert!(reason.contains("somebody has changed"), "{reason}");
    }

    #[test]
    fn the_version_of_what_does_not_say_its_own_is_one() {
        assert_eq!(unknown_version().to_string(), "0.0.0-unknown");
    }
}
