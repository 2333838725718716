//! Finds out why a pod is in trouble, from its events and from what it wrote last. Each is asked for once for each stage of the
//! trouble, not at every look.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;

use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{ListParams, LogParams};
use pilotage_targets::InstanceState;

use crate::cluster::Cluster;
use crate::rollout::{Told, Trouble, running_since, says_never, service, why};

use super::instance::Seen;

/// Lines of a log that are told.
const LINES: i64 = 10;
/// Bytes of a log that are read.
const LOG_BYTES: i64 = 8 * 1024;
/// So many pods are remembered; a release that fails again and again must not fill the memory.
const REMEMBERED: usize = 500;

/// Remembers what it has found out.
#[derive(Default)]
pub(crate) struct Teller {
    told: Mutex<BTreeMap<String, (String, Told)>>,
}

impl Teller {
    /// Puts the reason of its trouble into words.
    pub async fn tell(&self, cluster: &Cluster, pod: &Pod, seen: &mut Seen) {
        let Some(trouble) = &seen.trouble else { return };
        let told = self.told(cluster, pod, trouble).await;
        let reason = why(trouble, &told);
        let never = matches!(trouble, Trouble::Image(_)) && told.warning.as_deref().is_some_and(says_never);
        match &mut seen.instance.state {
            InstanceState::Waiting { .. } if never => seen.instance.state = InstanceState::Failed { reason },
            InstanceState::Waiting { reason: empty } | InstanceState::Failed { reason: empty } => {
                *empty = reason
            }
            _ => {}
        }
    }

    async fn told(&self, cluster: &Cluster, pod: &Pod, trouble: &Trouble) -> Told {
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let stage = stage(pod, trouble);
        {
            let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, told)) = told.get(&uid).filter(|(seen, _)| *seen == stage) {
                return told.clone();
            }
        }
        let found = Told::by(&events(cluster, &uid).await, last_lines(cluster, pod, trouble).await);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.len() >= REMEMBERED {
            told.clear();
        }
        // A warning may still be on its way: what says nothing is asked for again.
        if found != Told::default() {
            told.insert(uid, (stage, found.clone()));
        }
        found
    }
}

/// What changes when there is something new to be found out.
fn stage(pod: &Pod, trouble: &Trouble) -> String {
    let restarts = pod.status.as_ref().and_then(service).map_or(0, |container| container.restart_count);
    format!("{restarts} {trouble:?}")
}

/// The events of a pod. That there are none, or that we may not see them, keeps nobody from going on.
async fn events(cluster: &Cluster, uid: &str) -> Vec<Event> {
    let asked = ListParams::default().fields(&format!("involvedObject.uid={uid}"));
    let listed = cluster.list_with(&cluster.api::<Event>(), &asked).await;
    listed.unwrap_or_else(|error| {
        tracing::debug!(%error, "the events of a pod cannot be read");
        Vec::new()
    })
}

/// What kubelets answer in the place of a log that is removed already.
const REMOVED: &str = "unable to retrieve container logs for ";

/// What its container wrote last, in the run that ended. Of a container that waits to be started again, the present log is that
/// of the run before, and the one before may be removed.
async fn last_lines(cluster: &Cluster, pod: &Pod, trouble: &Trouble) -> Vec<String> {
    let (container, runs) = match trouble {
        Trouble::Crash { container, restarts, .. } if *restarts > 0 => {
            let runs_again = pod.status.as_ref().and_then(service).and_then(running_since).is_some();
            (Some(container.clone()), if runs_again { &[true, false] } else { &[false, true][..] })
        }
        Trouble::Crash { container, .. } => (Some(container.clone()), &[false][..]),
        Trouble::Probe => (None, &[false][..]),
        _ => return Vec::new(),
    };
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let api = cluster.api::<Pod>();
    for previous in runs {
        let asked = LogParams {
            container: container.clone(),
            previous: *previous,
            tail_lines: Some(LINES),
            limit_bytes: Some(LOG_BYTES),
            ..LogParams::default()
        };
        let text = cluster.ask("read a log", || api.logs(name, &asked)).await.unwrap_or_default();
        if !text.is_empty() && !text.starts_with(REMOVED) {
            return text.lines().map(str::to_owned).collect();
        }
    }
    Vec::new()
}
