//! Ensures and retires versions of a StatefulSet.

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::ResourceExt;
use pilotage_spec::{Release, Version, Workload};
use pilotage_targets::TargetError;
use serde_json::json;

use super::plan::{Standing, Wanted};
use crate::act::{Actor, until_stopped};
use crate::cluster::Cluster;
use crate::generate::{pods_service, stateful_set, version_selector, version_service};
use crate::names::{Names, REPLICAS};
use crate::observe::{annotation, release_of};

impl Actor {
    /// At least so many ordinals of a version.
    pub(crate) async fn ensure_ordinals(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        release: &Release,
        replicas: u32,
    ) -> Result<(), TargetError> {
        let names = cluster.names(workload);
        let api = cluster.api::<StatefulSet>();
        let live = cluster.get(&api, names.service()).await?;
        let wanted = match &live {
            None => Some(Wanted { template: true, partition: 0, replicas }),
            Some(live) => {
                let standing = standing(cluster, &names, live).await?;
                standing.ensured(&release.id.version, replicas)
            }
        };
        let Some(wanted) = wanted else { return Ok(()) };
        let blueprint = self.blueprint(cluster, &names, workload, release).await?;
        let (blueprint, secrets) = self.with_secrets(cluster, blueprint, None).await?;
        cluster.apply_again(&cluster.api::<Service>(), &pods_service(&blueprint)).await?;
        let service = version_service(&blueprint, version_selector(&blueprint));
        cluster.apply_again(&cluster.api::<Service>(), &service).await?;
        let partition = i32::try_from(wanted.partition).unwrap_or(i32::MAX);
        let mut set = stateful_set(&blueprint, partition)?;
        if live.is_none() {
            // Until it is known how many there are to be, there is none.
            set.spec.as_mut().into_iter().for_each(|spec| spec.replicas = Some(0));
            cluster.create(&api, &set).await?;
            set.spec.as_mut().into_iter().for_each(|spec| spec.replicas = None);
        }
        let applied = cluster.apply_again(&api, &set).await?;
        self.own_secrets(cluster, &names, release, secrets, ("StatefulSet", &applied.metadata)).await?;
        resize(cluster, &names, &wanted, Some(replicas)).await
    }

    /// At most so many ordinals of a version.
    pub(crate) async fn retire_ordinals(
        &self,
        cluster: &Cluster,
        workload: &Workload,
        version: &Version,
        keep: i32,
        grace: Duration,
    ) -> Result<(), TargetError> {
        let names = cluster.names(workload);
        let api = cluster.api::<StatefulSet>();
        let Some(live) = cluster.get(&api, names.service()).await? else { return Ok(()) };
        let keep = u32::try_from(keep).unwrap_or(0);
        if let Some(wanted) = standing(cluster, &names, &live).await?.retired(version, keep) {
            resize(cluster, &names, &wanted, None).await?;
        }
        until_stopped(cluster, &names.version_selector(version), keep, grace).await?;
        self.watches.announce();
        Ok(())
    }
}

async fn standing(cluster: &Cluster, names: &Names, live: &StatefulSet) -> Result<Standing, TargetError> {
    let spec = live.spec.as_ref();
    let template = spec.and_then(|spec| spec.template.metadata.as_ref());
    let newest = template.and_then(release_of).ok_or_else(|| TargetError::Failed {
        doing: format!("read statefulsets {}", live.name_any()),
        reason: "its template does not say which release it is; it is not ours".to_owned(),
    })?;
    let strategy = spec.and_then(|spec| spec.update_strategy.as_ref());
    let partition = strategy.and_then(|strategy| strategy.rolling_update.as_ref()?.partition).unwrap_or(0);
    let replicas = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let asked = annotation(&live.metadata, REPLICAS).and_then(|asked| asked.parse().ok()).unwrap_or(0);
    let pods = cluster.list(&cluster.api::<Pod>(), &names.selector()).await?;
    let releases = pods.iter().filter_map(|pod| release_of(&pod.metadata));
    let before = releases.map(|release| release.version).find(|version| *version != newest.version);
    let count = |number: i32| u32::try_from(number).unwrap_or(0);
    Ok(Standing {
        newest: newest.version,
        before,
        partition: count(partition),
        replicas: count(replicas),
        asked,
    })
}

async fn resize(
    cluster: &Cluster,
    names: &Names,
    wanted: &Wanted,
    asked: Option<u32>,
) -> Result<(), TargetError> {
    let mut change = json!({"spec": {
        "replicas": wanted.replicas,
        "updateStrategy": {"rollingUpdate": {"partition": wanted.partition}}
    }});
    if let Some(asked) = asked {
        change["metadata"] = json!({"annotations": {REPLICAS: asked.to_string()}});
    }
    cluster.patch(&cluster.api::<StatefulSet>(), names.service(), &change).await.map(drop)
}
