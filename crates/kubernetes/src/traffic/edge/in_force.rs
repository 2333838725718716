//! Waiting until edge pods have something in force.

use std::time::Duration;

use pilotage_spec::{Digest, Workload};
use pilotage_targets::TargetError;
use tokio::time::{Instant, sleep};

use super::pods::{self, EdgePod};
use super::reach::Reach;
use crate::cluster::Cluster;
use crate::edge::Applied;

const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// How often pods are listed anew while some are waited for.
const LIST_AGAIN: Duration = Duration::from_secs(1);

/// Waits until every pod to which users are sent has the key of this digest in force, or none if there is no digest; says the
/// highest epoch among their tables. At least one pod must be ready for a key that is wanted.
pub(super) async fn everywhere(
    (cluster, reach): (&Cluster, &Reach),
    workload: &Workload,
    digest: Option<&Digest>,
    limit: Duration,
) -> Result<u64, TargetError> {
    let deadline = Instant::now() + limit;
    let mut pause = FIRST_PAUSE;
    let mut listed = Instant::now();
    let mut pods = pods::list(cluster).await?;
    loop {
        let found = look((cluster, reach), workload, digest, &pods).await;
        let done = found.behind.is_empty() && (found.ready > 0 || digest.is_none());
        if done || listed.elapsed() > LIST_AGAIN {
            let before = std::mem::replace(&mut pods, pods::list(cluster).await?);
            listed = Instant::now();
            // One that has become ready meanwhile may have begun with what was there before.
            if done && ready(&pods).eq(ready(&before)) {
                return Ok(found.epoch);
            }
        }
        if Instant::now() > deadline {
            return Err(found.explained(workload, &pods, limit));
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn ready(pods: &[EdgePod]) -> impl Iterator<Item = &str> {
    pods.iter().filter(|pod| pod.ready).map(|pod| pod.uid.as_str())
}

/// What pods said.
#[derive(Default)]
struct Found {
    ready: usize,
    epoch: u64,
    /// Ready pods that do not have it, and why.
    behind: Vec<(String, String)>,
}

async fn look(
    (cluster, reach): (&Cluster, &Reach),
    workload: &Workload,
    digest: Option<&Digest>,
    all: &[EdgePod],
) -> Found {
    let service = workload.service.as_str();
    let mut found = Found::default();
    let ask = |pod| reach.ask::<Applied>(cluster, pod, "/applied");
    for (pod, answer) in pods::each(all.iter().filter(|pod| pod.ready), ask).await {
        found.ready += 1;
        match answer {
            Ok(applied) if applied.services.get(service) == digest => {
                found.epoch = found.epoch.max(applied.epoch)
            }
            Ok(applied) => {
                let fault = applied.faults.get(service).cloned();
                let reason = fault.unwrap_or_else(|| "it has what was there before".to_owned());
                found.behind.push((pod.name.clone(), reason));
            }
            Err(reason) => found.behind.push((pod.name.clone(), reason)),
        }
    }
    found
}

impl Found {
    fn explained(self, workload: &Workload, pods: &[EdgePod], limit: Duration) -> TargetError {
        let behind: Vec<String> =
            self.behind.iter().map(|(pod, reason)| format!("{pod}: {reason}")).collect();
        let waiting = pods.iter().filter_map(|pod| Some(format!("{}: {}", pod.name, pod.waits.as_ref()?)));
        let waiting: Vec<String> = waiting.collect();
        let reason = match (behind.is_empty(), waiting.is_empty()) {
            (false, _) => format!("not every edge pod has taken it up: {}", behind.join("; ")),
            (true, false) => format!("no edge pod is ready: {}", waiting.join("; ")),
            (true, true) => {
                "no edge pod is ready; see `kubectl describe deployment pilotage-edge`".to_owned()
            }
        };
        let reason = format!("{reason} (waited {} s)", limit.as_secs());
        TargetError::Failed { doing: format!("change the traffic of {workload}"), reason }
    }
}
