//! The fencing token of a workload, in the cluster itself, so that it holds whoever acts from wherever. Two who write at once cannot
//! both succeed: the server compares the version of the object (optimistic concurrency).

use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Api;
use pilotage_spec::Workload;
use pilotage_targets::{Fence, TargetError};
use serde_json::json;

use crate::cluster::{Cluster, Patched};
use crate::names::FENCE;

/// Whoever loses so often against others is not fenced, but something is wrong.
const ATTEMPTS: u32 = 10;

/// Refuses whoever has been overtaken, and lets nobody act any more whom `fence` overtakes.
pub(crate) async fn claim(cluster: &Cluster, workload: &Workload, fence: Fence) -> Result<(), TargetError> {
    let api = cluster.api::<ConfigMap>();
    let name = cluster.names(workload).record();
    for _ in 0..ATTEMPTS {
        let Some(record) = cluster.get(&api, &name).await? else {
            if cluster.create(&api, &record(cluster, workload, fence)).await?.is_some() {
                return Ok(());
            }
            continue;
        };
        let held = held(&record)?;
        if fence < held {
            return Err(TargetError::Fenced { workload: workload.to_string(), held: held.0, ours: fence.0 });
        }
        if fence == held {
            return Ok(());
        }
        if raise(cluster, &api, &record, fence).await? {
            return Ok(());
        }
    }
    Err(TargetError::Failed {
        doing: format!("take over {workload}"),
        reason: "somebody else changes its record all the time".to_owned(),
    })
}

fn record(cluster: &Cluster, workload: &Workload, fence: Fence) -> ConfigMap {
    let names = cluster.names(workload);
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(names.record()),
            labels: Some(names.labels()),
            annotations: Some([(FENCE.to_owned(), fence.0.to_string())].into()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

async fn raise(
    cluster: &Cluster,
    api: &Api<ConfigMap>,
    record: &ConfigMap,
    fence: Fence,
) -> Result<bool, TargetError> {
    let name = record.metadata.name.as_deref().unwrap_or_default();
    let change = json!({"metadata": {
        "resourceVersion": record.metadata.resource_version,
        "annotations": {FENCE: fence.0.to_string()}
    }});
    Ok(matches!(cluster.patch(api, name, &change).await?, Patched::Done(_)))
}

/// A record without a readable token could belong to anybody: nobody acts on it.
fn held(record: &ConfigMap) -> Result<Fence, TargetError> {
    let text = record.metadata.annotations.as_ref().and_then(|annotations| annotations.get(FENCE));
    let token = text.and_then(|text| text.parse().ok()).map(Fence);
    token.ok_or_else(|| TargetError::Failed {
        doing: format!("read the ConfigMap {}", record.metadata.name.as_deref().unwrap_or_default()),
        reason: format!(
            "its annotation {FENCE} is no number; delete the ConfigMap if nobody deploys just now"
        ),
    })
}
