//! What is there: asked of the API server each time, since a cache may be behind what we have just done ourselves. Watches say when
//! to ask again, and tell the edge of this machine which pods take traffic.

mod instance;
mod look;
mod tell;
mod usage;
mod version;
mod watches;

pub(crate) use instance::{digest_of, image_digest, release_of};
pub(crate) use look::Look;
pub(crate) use tell::Teller;
pub(crate) use usage::Usage;
pub(crate) use version::{Kept, annotation};
pub(crate) use watches::Watches;

use pilotage_spec::{Timestamp, Workload};
use pilotage_targets::{Instance, TargetError};

use crate::cluster::Cluster;
use crate::shared::Shared;

/// Everything that is needed to look.
#[derive(Default)]
pub(crate) struct Observer {
    /// Looks at the whole environment.
    pub looks: Shared<Look>,
    /// Finds out why pods are in trouble.
    pub teller: Teller,
    /// What pods use.
    pub usage: Usage,
}

impl Observer {
    /// All instances of a workload that have not been stopped on purpose, by name.
    pub async fn instances(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        now: Timestamp,
    ) -> Result<Vec<Instance>, TargetError> {
        let look = self.looks.fresh(|| Look::take(cluster)).await?;
        self.usage.refresh(cluster);
        let mut instances = Vec::new();
        for kept in look.of_workload(&cluster.names(workload)) {
            for pod in kept.present() {
                let mut instance = instance::instance(&kept, pod, now);
                self.teller.tell(cluster, pod, &mut instance).await;
                let used = self.usage.of(&instance.instance.name);
                instance.instance.cpu_millis = used.cpu_millis;
                instance.instance.memory_bytes = used.memory_bytes;
                instances.push(instance.instance);
            }
            instances.extend(kept.not_made());
        }
        instances.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(instances)
    }
}
