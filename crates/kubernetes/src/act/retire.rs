//! Stops pods: first nobody sends them requests any more, then they are told to end, then it is waited until they have.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use pilotage_spec::{Version, Workload};
use pilotage_targets::{Fence, TargetError, Traffic};
use tokio::time::{Instant, sleep};

use crate::cluster::Cluster;
use crate::names::{ADOPTED, query};
use crate::observe::{Kept, Look, annotation};
use crate::rollout::has_stopped;

use super::Actor;
use super::record::claim;
use super::scale::{allowed_disruptions, scale_down};

/// The grace of pods that do not say one.
const USUAL_GRACE: Duration = Duration::from_secs(30);
/// Pods that should have ended are waited for so much longer.
const SLACK: Duration = Duration::from_secs(60);
/// How often it is looked whether they have ended.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl Actor {
    /// See [`pilotage_targets::Target::retire`].
    pub async fn retire(
        &self,
        workload: &Workload,
        version: &Version,
        keep: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let cluster = self.cluster().await?;
        claim(&cluster, workload, fence).await?;
        let keep = i32::try_from(keep).unwrap_or(i32::MAX);
        let look = Look::take(&cluster).await?;
        let kept = look.of_workload(&cluster.names(workload));
        let Some(kept) = kept.iter().find(|kept| kept.version().as_ref() == Some(version)) else {
            return Ok(());
        };
        let grace = grace(kept);
        let traffic = self.route.read(&cluster, workload).await?;
        let routed = traffic.as_ref().is_some_and(|traffic| has_share(traffic, version));
        if !routed || keep == 0 {
            self.route.drain(&cluster, workload, version, grace).await?;
        }
        let Some(deployment) = kept.deployment() else {
            return self.retire_ordinals(&cluster, workload, version, keep, grace).await;
        };
        let name = deployment.metadata.name.clone().unwrap_or_default();
        shrink(&cluster, kept, &name, keep, routed).await?;
        until_stopped(&cluster, &query(&kept.pod_selector()), keep.unsigned_abs(), grace).await?;
        if keep == 0 {
            self.clear(&cluster, workload, version, deployment, traffic.as_ref()).await?;
        }
        self.watches.announce();
        Ok(())
    }

    /// What is left of a version without pods. A Deployment that was there before us stays, scaled to nothing.
    async fn clear(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        version: &Version,
        deployment: &Deployment,
        traffic: Option<&Traffic>,
    ) -> Result<(), TargetError> {
        if annotation(&deployment.metadata, ADOPTED).is_none() {
            let name = deployment.metadata.name.as_deref().unwrap_or_default();
            cluster.delete(&cluster.api::<Deployment>(), name, deployment.metadata.uid.as_deref()).await?;
        }
        // Routes that name its Service would point at nothing.
        if traffic.is_some_and(|traffic| names_version(traffic, version)) {
            return Ok(());
        }
        let service = cluster.names(workload).of_version(version);
        cluster.delete(&cluster.api::<Service>(), &service, None).await
    }
}

fn has_share(traffic: &Traffic, version: &Version) -> bool {
    let shared = traffic.shares.iter().any(|(shared, share)| shared == version && *share > 0);
    shared || traffic.by_cohort_or_copy().any(|named| named == version)
}

fn names_version(traffic: &Traffic, version: &Version) -> bool {
    let preview = traffic.preview.as_ref().is_some_and(|preview| preview.version == *version);
    preview || traffic.shares.iter().any(|(shared, _)| shared == version) || has_share(traffic, version)
}

/// How long the pods have to end.
pub(super) fn grace(kept: &Kept) -> Duration {
    let seconds =
        kept.pods.iter().filter_map(|pod| pod.spec.as_ref()?.termination_grace_period_seconds).max();
    seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(USUAL_GRACE, Duration::from_secs)
}

/// Lowers the replicas, as far at once as budgets for disruptions allow. A version that nobody is sent to disrupts nobody.
async fn shrink(
    cluster: &Cluster,
    kept: &Kept,
    name: &str,
    keep: i32,
    routed: bool,
) -> Result<(), TargetError> {
    let mut now = kept.wanted().and_then(|wanted| i32::try_from(wanted).ok()).unwrap_or(0);
    if !routed {
        return scale_down(cluster, name, keep).await;
    }
    let deadline = Instant::now() + SLACK;
    while now > keep {
        let budget = allowed_disruptions(cluster, kept).await?;
        let step = budget.as_ref().map_or(now - keep, |budget| budget.allowed.min(now - keep));
        if step > 0 {
            now -= step;
            scale_down(cluster, name, now).await?;
            continue;
        }
        if let Some(budget) = budget
            && Instant::now() > deadline
        {
            return Err(TargetError::Failed {
                doing: format!("stop pods of deployments {name}"),
                reason: format!("the PodDisruptionBudget {} allows none to be missing just now", budget.name),
            });
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Waits until no more pods than that run of those that are selected; one on a node that does not answer is not waited for for ever.
pub(crate) async fn until_stopped(
    cluster: &Cluster,
    selector: &str,
    keep: u32,
    grace: Duration,
) -> Result<(), TargetError> {
    let deadline = Instant::now() + grace + SLACK;
    let api = cluster.api::<Pod>();
    loop {
        let left = cluster.list(&api, selector).await?;
        let left = left.iter().filter(|pod| !has_stopped(pod)).count();
        if left <= keep as usize || Instant::now() > deadline {
            return Ok(());
        }
        sleep(LOOK_EVERY).await;
    }
}
