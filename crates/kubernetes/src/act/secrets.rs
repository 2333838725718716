//! Hands changed secrets on to instances that have them as files: the kubelet writes them anew within a minute or so. No signal is
//! sent: nobody can do that from outside a pod.

use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use pilotage_spec::{InstanceSpec, Release, Value, Workload};
use pilotage_targets::{Instance, InstanceState, RefreshedSecrets, TargetError};
use sha2::{Digest as _, Sha256};

use super::{Actor, now};

/// Annotation of what holds secrets as files: the digest of what was read last, salted with the object's own id.
const READ: &str = "pilotage.dev/read";

impl Actor {
    /// See [`pilotage_targets::Target::refresh_secrets`].
    ///
    /// What secrets a version has is said by its release, which is not in the cluster; so only those of releases that this
    /// process has ensured are looked after.
    pub async fn refresh_secrets(&self, workload: &Workload) -> Result<Vec<RefreshedSecrets>, TargetError> {
        let releases = self.ensured.of(workload);
        if releases.iter().all(|release| references(&release.instance).is_empty()) {
            return Ok(Vec::new());
        }
        let cluster = self.cluster().await?;
        let instances = self.observer.instances(&cluster, workload, now()).await?;
        let mut refreshed = Vec::new();
        for release in releases.iter().filter(|release| !references(&release.instance).is_empty()) {
            if self.refresh(workload, release).await? {
                let of = |instance: &&Instance| {
                    instance.release == release.id && instance.state != InstanceState::Stopping
                };
                refreshed.extend(instances.iter().filter(of).map(|instance| RefreshedSecrets {
                    instance: instance.name.clone(),
                    references: references(&release.instance),
                }));
            }
        }
        Ok(refreshed)
    }

    /// Writes the files of a version anew if one of them has changed.
    async fn refresh(&self, workload: &Workload, release: &Release) -> Result<bool, TargetError> {
        let cluster = self.cluster().await?;
        let names = cluster.names(workload);
        let name = crate::generate::file_secrets(&names, &release.id.version);
        let api = cluster.api::<PartialObjectMeta<Secret>>();
        let Some(live) = cluster.get(&api, &name).await? else { return Ok(false) };
        // What cannot be read stays as it was.
        let Ok(read) = crate::generate::ReadSecrets::read_files(&release.instance, &self.secrets).await
        else {
            return Ok(false);
        };
        let uid = live.metadata.uid.clone().unwrap_or_default();
        let digest = salted(&uid, &read.digest());
        let before = crate::observe::annotation(&live.metadata, READ);
        if before.is_some_and(|before| *before == digest) {
            return Ok(false);
        }
        let owner = live.metadata.owner_references.as_ref().and_then(|owners| owners.first());
        let made = crate::generate::SecretObjects::of(&names, &release.id.version, &read, owner);
        for mut object in made.objects {
            object.metadata.annotations = Some([(READ.to_owned(), digest.clone())].into());
            cluster.apply_unseen(&cluster.api::<Secret>(), &object).await?;
        }
        // At the first look nothing is known of what was there before, and it was written just then.
        Ok(before.is_some())
    }
}

fn references(instance: &InstanceSpec) -> Vec<String> {
    let files = instance.env.values().filter_map(|value| match value {
        Value::SecretFile(source) => Some(source.to_string()),
        _ => None,
    });
    files.collect()
}

fn salted(salt: &str, digest: &str) -> String {
    Sha256::digest(format!("{salt} {digest}")).iter().map(|byte| format!("{byte:02x}")).collect()
}
