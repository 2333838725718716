//! The edge's pods.

use std::net::IpAddr;

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use pilotage_targets::TargetError;

use crate::cluster::Cluster;
use crate::install::edge_labels;

/// One pod of the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EdgePod {
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) address: Option<IpAddr>,
    /// Users are sent to it.
    pub(super) ready: bool,
    /// It runs, whether or not users are sent to it: requests may be in flight there.
    pub(super) running: bool,
    /// Why it does not run, in words.
    pub(super) waits: Option<String>,
}

/// All pods of the edge, also those that are about to end.
pub(super) async fn list(cluster: &Cluster) -> Result<Vec<EdgePod>, TargetError> {
    let owner = cluster.owner();
    let labels = edge_labels(&owner.project, &owner.environment);
    let selector: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or_default())).collect();
    let pods = cluster.list(&cluster.api::<Pod>(), &selector.join(",")).await?;
    Ok(pods.into_iter().map(EdgePod::of).collect())
}

impl EdgePod {
    fn of(pod: Pod) -> Self {
        let status = pod.status.unwrap_or_default();
        let is = |kind: &str| {
            status.conditions.iter().flatten().any(|known| known.type_ == kind && known.status == "True")
        };
        let leaves = pod.metadata.deletion_timestamp.is_some();
        let statuses = status.container_statuses.as_deref().unwrap_or_default();
        let running =
            statuses.iter().any(|one| one.state.as_ref().is_some_and(|state| state.running.is_some()));
        Self {
            name: pod.metadata.name.unwrap_or_default(),
            uid: pod.metadata.uid.unwrap_or_default(),
            address: status.pod_ip.as_ref().and_then(|address| address.parse().ok()),
            ready: is("Ready") && !leaves,
            running,
            waits: statuses.iter().find_map(waits).or(unscheduled(status.conditions.as_deref())),
        }
    }
}

fn waits(container: &ContainerStatus) -> Option<String> {
    let state = container.state.as_ref()?;
    if let Some(waiting) = &state.waiting {
        let reason = waiting.reason.clone().unwrap_or_default();
        return Some(
            waiting.message.as_ref().map_or(reason.clone(), |message| format!("{reason}: {message}")),
        );
    }
    let ended = state.terminated.as_ref()?;
    Some(format!("it ended with status {}", ended.exit_code))
}

fn unscheduled(conditions: Option<&[k8s_openapi::api::core::v1::PodCondition]>) -> Option<String> {
    let condition =
        conditions?.iter().find(|known| known.type_ == "PodScheduled" && known.status == "False")?;
    condition.message.clone()
}

/// Asks several pods at the same time.
pub(super) async fn each<'a, T, Asked>(
    pods: impl Iterator<Item = &'a EdgePod>,
    ask: impl Fn(&'a EdgePod) -> Asked,
) -> Vec<(&'a EdgePod, T)>
where
    Asked: Future<Output = T>,
{
    let ask = &ask;
    join_all(pods.map(|pod| async move { (pod, ask(pod).await) })).await
}
