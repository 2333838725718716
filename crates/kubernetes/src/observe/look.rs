//! One look at all of an environment.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use pilotage_targets::TargetError;

use crate::cluster::Cluster;
use crate::names::{Names, query};

use super::version::{Keeper, Kept};

/// What was there at one moment.
#[derive(Default)]
pub(crate) struct Look {
    /// What keeps pods up, with its pods.
    kept: Vec<Arc<Kept>>,
}

impl Look {
    /// Looks at what belongs to the environment.
    pub async fn take(cluster: &Cluster) -> Result<Self, TargetError> {
        let selector = cluster.owner().selector();
        let deployments = cluster.api::<Deployment>();
        let stateful_sets = cluster.api::<StatefulSet>();
        let all_pods = cluster.api::<Pod>();
        let (deployments, stateful_sets, pods) = tokio::try_join!(
            cluster.list(&deployments, &selector),
            cluster.list(&stateful_sets, &selector),
            cluster.list(&all_pods, &selector),
        )?;
        let mut pods: Vec<Pod> = pods.into_iter().map(slim_pod).collect();
        let mut kept = Vec::new();
        for deployment in deployments {
            let mut own = Keeper::Deployment(Box::new(slim(deployment))).with_pods(&mut pods);
            if let Some(selector) = own.adopted_selector() {
                // Their labels are not ours.
                let adopted = cluster.list(&all_pods, &query(&selector)).await?;
                own.pods = adopted.into_iter().map(slim_pod).collect();
            }
            kept.push(Arc::new(own));
        }
        for set in stateful_sets {
            let set = Keeper::StatefulSet(Box::new(slim(set)));
            kept.extend(set.with_pods(&mut pods).by_version().into_iter().map(Arc::new));
        }
        kept.extend(Kept::left_over(pods).into_iter().map(Arc::new));
        Ok(Self { kept })
    }

    /// What belongs to a workload, a version each.
    pub fn of_workload(&self, names: &Names) -> Vec<Arc<Kept>> {
        self.kept.iter().filter(|kept| names.own(kept.labels())).cloned().collect()
    }
}

/// Half of an object is who has written which field when; nobody asks for that here.
fn slim<K: k8s_openapi::Metadata<Ty = ObjectMeta>>(mut object: K) -> K {
    object.metadata_mut().managed_fields = None;
    object
}

/// Of a pod that is kept for a moment, only what says what it is and how it is.
fn slim_pod(pod: Pod) -> Pod {
    let mut pod = slim(pod);
    if let Some(spec) = &mut pod.spec {
        spec.volumes = None;
        spec.affinity = None;
        spec.tolerations = None;
        for container in &mut spec.containers {
            container.env = None;
            container.volume_mounts = None;
        }
    }
    pod
}
