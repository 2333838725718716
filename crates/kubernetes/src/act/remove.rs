//! Takes everything of a workload away. What was there before us is scaled to nothing and stays.

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Secret, Service};
use kube::api::Api;
use kube::core::PartialObjectMeta;
use kube::{Resource, ResourceExt};
use pilotage_spec::Workload;
use pilotage_targets::{Fence, TargetError};
use serde::de::DeserializeOwned;

use crate::cluster::Cluster;
use crate::names::{ADOPTED, MANAGED_BY, PILOTAGE, query};
use crate::observe::{Look, annotation};

use super::Actor;
use super::record::claim;
use super::retire::{grace, until_stopped};
use super::scale::scale_down;

impl Actor {
    /// See [`pilotage_targets::Target::remove`].
    pub async fn remove(&self, workload: &Workload, fence: Fence) -> Result<(), TargetError> {
        let cluster = self.cluster().await?;
        claim(&cluster, workload, fence).await?;
        self.route.remove(&cluster, workload).await?;
        let names = cluster.names(workload);
        let look = Look::take(&cluster).await?;
        let mut longest = Duration::ZERO;
        for kept in look.of_workload(&names) {
            longest = longest.max(grace(&kept));
            let Some(deployment) = kept.deployment() else { continue };
            let name = deployment.name_any();
            if annotation(&deployment.metadata, ADOPTED).is_some() {
                scale_down(&cluster, &name, 0).await?;
                until_stopped(&cluster, &query(&kept.pod_selector()), 0, grace(&kept)).await?;
            }
        }
        let selector = names.selector();
        delete_all(&cluster, &cluster.api::<PartialObjectMeta<Deployment>>(), &selector).await?;
        delete_all(&cluster, &cluster.api::<PartialObjectMeta<StatefulSet>>(), &selector).await?;
        delete_all(&cluster, &cluster.api::<PartialObjectMeta<Service>>(), &selector).await?;
        delete_all(&cluster, &cluster.api::<PartialObjectMeta<Secret>>(), &selector).await?;
        until_stopped(&cluster, &selector, 0, longest).await?;
        self.watches.announce();
        Ok(())
    }
}

/// Deletes all objects that are ours; of those that were there before us, only what we have written on them is ours.
async fn delete_all<K>(cluster: &Cluster, api: &Api<K>, selector: &str) -> Result<(), TargetError>
where
    K: Resource + DeserializeOwned + Clone + std::fmt::Debug,
{
    for object in cluster.list(api, &format!("{selector},{MANAGED_BY}={PILOTAGE}")).await? {
        if annotation(object.meta(), ADOPTED).is_none() {
            cluster.delete(api, &object.name_any(), object.meta().uid.as_deref()).await?;
        }
    }
    Ok(())
}
