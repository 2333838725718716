//! Puts the edge into the namespace, and takes it away when nothing is served by it any more.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use kube::ResourceExt;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind};
use pilotage_targets::TargetError;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::edge::{config_map_name, digest_of};
use crate::install::{EDGE_NAME, EdgeInstall, INSTALLED_BY, INSTALLED_BY_US, edge_objects};
use crate::names;

/// Who has put the edge there that is there.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// Nobody.
    Missing,
    /// We, as it would be put there now.
    Current,
    /// We, otherwise than now; with so many replicas, which somebody may have changed.
    Outdated { replicas: Option<i32> },
    /// Somebody else: it is theirs to look after.
    Theirs,
}

/// Sees to it that the edge is there as it should be. One that a person or a chart has put there is left as it is.
pub(super) async fn ensure(cluster: &Cluster, install: &EdgeInstall, again: bool) -> Result<(), TargetError> {
    let objects = edge_objects(install);
    let digest = digest_of(&Value::from(objects.clone()).to_string()).to_string();
    let live = cluster.get(&cluster.api::<Deployment>(), EDGE_NAME).await?;
    if let Some(live) = &live {
        refuse_others(cluster, live)?;
    }
    let replicas = match standing(live.as_ref(), &digest) {
        Standing::Theirs => return Ok(()),
        Standing::Current if !again => return Ok(()),
        Standing::Current => live.and_then(|live| live.spec?.replicas),
        Standing::Outdated { replicas } => replicas,
        Standing::Missing => None,
    };
    tracing::info!(namespace = cluster.namespace(), image = install.image, "putting the edge in place");
    for mut object in objects {
        if object["kind"] == "Deployment" {
            object["metadata"]["annotations"][names::SPEC] = digest.as_str().into();
            if let Some(replicas) = replicas {
                object["spec"]["replicas"] = json!(replicas);
            }
        }
        apply(cluster, object).await?;
    }
    Ok(())
}

fn standing(live: Option<&Deployment>, digest: &str) -> Standing {
    let Some(live) = live else { return Standing::Missing };
    let annotation = |name: &str| live.annotations().get(name).map(String::as_str);
    if annotation(INSTALLED_BY) != Some(INSTALLED_BY_US) {
        return Standing::Theirs;
    }
    match annotation(names::SPEC) == Some(digest) {
        true => Standing::Current,
        false => Standing::Outdated { replicas: live.spec.as_ref().and_then(|spec| spec.replicas) },
    }
}

/// One namespace has one edge, which serves one environment of one project.
pub(super) fn refuse_others(cluster: &Cluster, live: &Deployment) -> Result<(), TargetError> {
    let owner = cluster.owner();
    let own: BTreeMap<&str, &str> =
        [(names::PROJECT, owner.project.as_str()), (names::ENVIRONMENT, owner.environment.as_str())].into();
    let label = |name: &str| live.labels().get(name).map_or("nobody", String::as_str).to_owned();
    if own.iter().all(|(name, value)| label(name) == *value) {
        return Ok(());
    }
    Err(TargetError::Failed {
        doing: format!("put the edge into namespace {}", cluster.namespace()),
        reason: format!(
            "the edge there serves environment {} of project {}; give each environment with `traffic: edge` a namespace of its own",
            label(names::ENVIRONMENT),
            label(names::PROJECT),
        ),
    })
}

/// Takes away what [`ensure`] has put there, and the ConfigMap.
pub(super) async fn remove(cluster: &Cluster, install: &EdgeInstall) -> Result<(), TargetError> {
    let live = cluster.get(&cluster.api::<Deployment>(), EDGE_NAME).await?;
    let Some(live) = live.filter(|live| refuse_others(cluster, live).is_ok()) else { return Ok(()) };
    if standing(Some(&live), "") == Standing::Theirs {
        return Ok(());
    }
    let config_map = config_map_name(&cluster.owner().environment);
    cluster.delete(&cluster.api::<k8s_openapi::api::core::v1::ConfigMap>(), &config_map, None).await?;
    // The pods first, so that they never miss what they may read.
    for object in edge_objects(install).into_iter().rev() {
        if let Some(resource) = resource(&object) {
            cluster.delete(&cluster.dynamic(&resource), EDGE_NAME, None).await?;
        }
    }
    Ok(())
}

async fn apply(cluster: &Cluster, object: Value) -> Result<(), TargetError> {
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let failed = |reason: String| TargetError::Failed { doing: format!("apply the edge's {kind}"), reason };
    let resource = resource(&object).ok_or_else(|| failed("it names no kind".to_owned()))?;
    let object: DynamicObject = serde_json::from_value(object).map_err(|error| failed(error.to_string()))?;
    cluster.apply(&cluster.dynamic(&resource), &object).await?;
    Ok(())
}

fn resource(object: &Value) -> Option<ApiResource> {
    let (group, version) = match object["apiVersion"].as_str()?.split_once('/') {
        Some((group, version)) => (group, version),
        None => ("", object["apiVersion"].as_str()?),
    };
    Some(ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, object["kind"].as_str()?)))
}
