//! The pods' template of a version, handed over to a controller that rolls it out.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use pilotage_spec::Version;
use pilotage_targets::TargetError;
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::services::Services;
use crate::cluster::{Cluster, Patched};
use crate::names;

/// The version whose label pods of these labels have.
pub(super) fn version_of(labels: Option<&BTreeMap<String, String>>, services: &Services) -> Option<Version> {
    let slug = labels?.get(names::VERSION)?;
    services.backends.values().find(|version| names::slug(version) == *slug).cloned()
}

/// The labels of a Deployment's pods.
pub(super) fn labels_of(deployment: &Deployment) -> Option<&BTreeMap<String, String>> {
    deployment.spec.as_ref()?.template.metadata.as_ref()?.labels.as_ref()
}

/// The template of the version's own Deployment, with the labels by which somebody else finds their pods. These must not be
/// labels of the version's own pods, or those would be found too.
pub(super) async fn handed_over(
    cluster: &Cluster,
    services: &Services,
    version: &Version,
    selector: &BTreeMap<String, String>,
) -> Result<Value, TargetError> {
    let name = services.scene.backend(version);
    let source = cluster.get(&cluster.api::<Deployment>(), &name).await?;
    let source = source.ok_or_else(|| missing(version, &name))?;
    let mut labels = labels_of(&source).cloned().unwrap_or_default();
    if selector.iter().all(|(name, value)| labels.get(name) == Some(value)) {
        return Err(Refusal::new(
            "a rollout whose selector finds the pods of every version",
            "give it a label of its own, such as `app: NAME`",
        )
        .into());
    }
    labels.extend(selector.clone());
    let template = source.spec.as_ref().map(|spec| &spec.template);
    let mut template = serde_json::to_value(template).map_err(|error| TargetError::Failed {
        doing: format!("copy the pods' template of {version}"),
        reason: error.to_string(),
    })?;
    template["metadata"]["labels"] = json!(labels);
    Ok(template)
}

/// Gives a template to a Deployment that somebody watches.
pub(super) async fn give(
    cluster: &Cluster,
    deployment: &str,
    version: &Version,
    template: Value,
) -> Result<(), TargetError> {
    let change = json!({ "spec": { "template": template } });
    match cluster.patch(&cluster.api::<Deployment>(), deployment, &change).await? {
        Patched::Done(_) => Ok(()),
        Patched::Stale | Patched::Missing => Err(missing(version, deployment)),
    }
}

fn missing(version: &Version, deployment: &str) -> TargetError {
    TargetError::Failed {
        doing: format!("hand {version} over to a rollout"),
        reason: format!("Deployment {deployment} is not there"),
    }
}
