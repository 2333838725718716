//! How one pod is, from what its status says: pure.

use std::time::Duration;

use k8s_openapi::api::core::v1::{
    ContainerStateTerminated, ContainerStateWaiting, ContainerStatus, Pod, PodCondition, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use pilotage_spec::Timestamp;

use crate::generate::CONTAINER;

/// A pod that should have ended is waited for so much longer before its node counts as lost.
const END_SLACK: Duration = Duration::from_secs(30);
/// So many restarts without getting ready are enough to call it a loop.
const RESTARTS_GIVEN_UP: i32 = 2;

/// How a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PodState {
    /// On its way, and nothing is wrong with it so far.
    Starting,
    /// Takes traffic.
    Ready,
    /// Was ready, and is not any more.
    Unready,
    /// Something keeps it from getting ready that may pass.
    Held(Trouble),
    /// Something keeps it from getting ready, and will go on to do so.
    Failed(Trouble),
    /// Ends.
    Stopping,
    /// Nobody knows: its node does not answer.
    Lost,
}

/// What keeps a pod from getting ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No node can take it.
    Unschedulable(String),
    /// Its image cannot be had.
    Image(String),
    /// Its container cannot be made, as when a Secret is missing.
    Configuration(String),
    /// Its container ends.
    Crash {
        /// Which container.
        container: String,
        /// How it ended last, in words.
        ended: String,
        /// How often it was started again.
        restarts: i32,
    },
    /// Its probe fails.
    Probe,
    /// It was ended as a whole, as by an eviction.
    Ended(String),
}

/// How a pod is. `limit` is how long it may take to get ready.
pub(crate) fn state(pod: &Pod, limit: Duration, now: Timestamp) -> PodState {
    let nothing = PodStatus::default();
    let status = pod.status.as_ref().unwrap_or(&nothing);
    if let Some(ends) = &pod.metadata.deletion_timestamp {
        let overdue = now > timestamp(ends).plus(END_SLACK);
        return if overdue || is_lost(status) { PodState::Lost } else { PodState::Stopping };
    }
    match status.phase.as_deref() {
        Some("Unknown") => return PodState::Lost,
        Some("Failed" | "Succeeded") => return PodState::Failed(ended(status)),
        _ => {}
    }
    let ready = condition(status, "Ready");
    if ready.is_some_and(|ready| ready.status == "True") {
        return PodState::Ready;
    }
    if is_lost(status) || (ready.is_some() && is_cut_off(pod, status)) {
        return PodState::Lost;
    }
    if let Some(trouble) = hopeless(status) {
        return PodState::Failed(trouble);
    }
    if was_ready(status, ready) {
        return PodState::Unready;
    }
    let late = begun(pod, status).is_some_and(|begun| now > begun.plus(limit));
    match passing(status) {
        Some(trouble) if late => PodState::Failed(trouble),
        Some(trouble) => PodState::Held(trouble),
        None if late => PodState::Failed(Trouble::Probe),
        None => PodState::Starting,
    }
}

/// Whether a pod that was told to end has done so, though it is still listed: kubelets take their time to clean up after it.
pub(crate) fn has_stopped(pod: &Pod) -> bool {
    let scheduled = pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    let ended = statuses.is_some_and(|all| !all.is_empty() && all.iter().all(has_ended));
    pod.metadata.deletion_timestamp.is_some() && (ended || !scheduled)
}

/// Whether a container of a pod that was told to end is over. Kubelets up to 1.20 say of one that they removed already that it
/// waits to be created, after an end that they know nothing of.
fn has_ended(container: &ContainerStatus) -> bool {
    let waits_after_an_end = waiting(container).is_some() && terminated_last(container).is_some();
    terminated_now(container).is_some() || waits_after_an_end
}

/// When the present attempt to get ready began: with the pod, or with the last end or start of its container.
fn begun(pod: &Pod, status: &PodStatus) -> Option<Timestamp> {
    let container = service(status);
    let started = container.and_then(running_since);
    let ended = container.and_then(terminated_last).and_then(|ended| ended.finished_at.as_ref());
    let made = pod.metadata.creation_timestamp.as_ref();
    [made, started, ended].into_iter().flatten().map(timestamp).max()
}

/// The kubelet of its node was lost, as older servers say it.
fn is_lost(status: &PodStatus) -> bool {
    status.reason.as_deref() == Some("NodeLost")
}

/// Only its node's controller says that it is not ready, while its kubelet said last that all containers are: the kubelet does
/// not answer. A readiness gate can have the same effect.
fn is_cut_off(pod: &Pod, status: &PodStatus) -> bool {
    let gates = pod.spec.as_ref().and_then(|spec| spec.readiness_gates.as_ref());
    let containers = status.container_statuses.as_deref().unwrap_or_default();
    gates.is_none_or(Vec::is_empty)
        && !containers.is_empty()
        && containers.iter().all(|container| container.ready)
        && condition(status, "ContainersReady").is_some_and(|condition| condition.status == "True")
}

fn ended(status: &PodStatus) -> Trouble {
    let containers = status.container_statuses.iter().flatten();
    let exit = containers.filter_map(terminated_now).map(words_of_end).next();
    let told = [status.reason.clone(), status.message.clone(), exit];
    let words: Vec<String> = told.into_iter().flatten().filter(|words| !words.is_empty()).collect();
    Trouble::Ended(if words.is_empty() { "it has ended".to_owned() } else { words.join(": ") })
}

/// What will not pass by itself.
fn hopeless(status: &PodStatus) -> Option<Trouble> {
    all(status).find_map(|container| {
        let waiting = waiting(container)?;
        let message = waiting.message.clone().unwrap_or_default();
        match waiting.reason.as_deref()? {
            "InvalidImageName" | "ErrImageNeverPull" => Some(Trouble::Image(message)),
            "ErrImagePull" | "ImagePullBackOff" if says_never(&message) => Some(Trouble::Image(message)),
            "CrashLoopBackOff" if container.restart_count >= RESTARTS_GIVEN_UP => Some(crash(container)),
            _ => None,
        }
    })
}

/// What may pass.
fn passing(status: &PodStatus) -> Option<Trouble> {
    let scheduled = condition(status, "PodScheduled").filter(|scheduled| scheduled.status == "False");
    if let Some(scheduled) = scheduled {
        return Some(Trouble::Unschedulable(scheduled.message.clone().unwrap_or_default()));
    }
    all(status).find_map(|container| {
        if let Some(ended) = terminated_now(container).filter(|ended| ended.exit_code != 0) {
            return Some(crashed(container, ended));
        }
        let waiting = waiting(container)?;
        let message = waiting.message.clone().unwrap_or_default();
        match waiting.reason.as_deref()? {
            "ErrImagePull" | "ImagePullBackOff" | "RegistryUnavailable" | "ImageInspectError" => {
                Some(Trouble::Image(message))
            }
            "CrashLoopBackOff" => Some(crash(container)),
            "ContainerCreating" | "PodInitializing" => None,
            // A Secret that is still on its way is told like one that never comes.
            reason => Some(Trouble::Configuration(format!("{reason}: {message}"))),
        }
    })
}

/// Whether a registry has said that there is no such image for us, and not only that it did not answer.
pub(crate) fn says_never(message: &str) -> bool {
    let message = message.to_lowercase();
    [
        "not found",
        "manifest unknown",
        "does not exist",
        "access denied",
        "unauthorized",
        "forbidden",
        "invalid reference",
    ]
    .iter()
    .any(|never| message.contains(never))
}

fn crash(container: &ContainerStatus) -> Trouble {
    match terminated_last(container) {
        Some(ended) => crashed(container, ended),
        None => Trouble::Crash {
            container: container.name.clone(),
            ended: "it ended".to_owned(),
            restarts: container.restart_count,
        },
    }
}

fn crashed(container: &ContainerStatus, ended: &ContainerStateTerminated) -> Trouble {
    Trouble::Crash {
        container: container.name.clone(),
        ended: words_of_end(ended),
        restarts: container.restart_count,
    }
}

fn words_of_end(ended: &ContainerStateTerminated) -> String {
    let reason = ended.reason.as_deref().unwrap_or_default();
    let said = ended.message.as_deref().map(str::trim).filter(|said| !said.is_empty());
    let how = match (reason, ended.exit_code, ended.signal) {
        ("OOMKilled", ..) => "it needed more memory than its limit and was killed".to_owned(),
        ("Error" | "Completed" | "", code, None | Some(0)) => format!("it ended with exit code {code}"),
        (_, _, Some(signal)) if signal != 0 => format!("it was ended by signal {signal}"),
        (reason, code, _) => format!("{reason}, exit code {code}"),
    };
    said.map_or_else(|| how.clone(), |said| format!("{how}: {said}"))
}

/// Its readiness changed after its container began: it must have been ready before.
fn was_ready(status: &PodStatus, ready: Option<&PodCondition>) -> bool {
    let changed = ready.and_then(|ready| ready.last_transition_time.as_ref());
    let began = service(status).and_then(running_since);
    changed.zip(began).is_some_and(|(changed, began)| changed.0 > began.0)
}

/// The container of the service; a pod that somebody else made may call it otherwise.
pub(crate) fn service(status: &PodStatus) -> Option<&ContainerStatus> {
    let containers = status.container_statuses.as_ref()?;
    containers.iter().find(|container| container.name == CONTAINER).or_else(|| containers.first())
}

/// Since when a container runs.
pub(crate) fn running_since(container: &ContainerStatus) -> Option<&Time> {
    container.state.as_ref()?.running.as_ref()?.started_at.as_ref()
}

/// How a container ended the time before.
pub(crate) fn terminated_last(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    container.last_state.as_ref()?.terminated.as_ref()
}

fn terminated_now(container: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    container.state.as_ref()?.terminated.as_ref()
}

fn waiting(container: &ContainerStatus) -> Option<&ContainerStateWaiting> {
    container.state.as_ref()?.waiting.as_ref()
}

/// All containers, those that run first before those of the service.
fn all(status: &PodStatus) -> impl Iterator<Item = &ContainerStatus> {
    let first = status.init_container_statuses.iter().flatten();
    first.chain(status.container_statuses.iter().flatten())
}

fn condition<'a>(status: &'a PodStatus, kind: &str) -> Option<&'a PodCondition> {
    status.conditions.as_ref()?.iter().find(|condition| condition.type_ == kind)
}

/// A time of Kubernetes.
pub(crate) fn timestamp(time: &Time) -> Timestamp {
    Timestamp::from_micros(time.0.as_microsecond())
}

#[cfg(test)]
#[path = "pod_tests.rs"]
mod tests;
