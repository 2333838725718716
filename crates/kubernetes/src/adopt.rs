//! Deployments that were there before us: one that runs a release becomes that version as it stands. Only labels and annotations
//! of the Deployment itself are written, never its template, so none of its pods is touched.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pilotage_spec::{Digest, Release};
use pilotage_targets::TargetError;
use serde_json::json;
use std::collections::BTreeMap;

use crate::act::now;
use crate::cluster::{Cluster, Patched};
use crate::generate::{DEFAULT_PORT, SERVICE_PORT};
use crate::names::{ADOPTED, BEFORE, Names, RELEASE, SPEC, query};
use crate::observe::{annotation, digest_of, image_digest, release_of};
use crate::rollout::missing;
use crate::traffic::selector_of;

/// Adopts a Deployment if it runs this very release; `None` if it is not there or runs something else.
pub(crate) async fn adopt(
    cluster: &Cluster,
    names: &Names,
    name: &str,
    release: &Release,
) -> Result<Option<Deployment>, TargetError> {
    let api = cluster.api::<Deployment>();
    let Some(live) = cluster.get(&api, name).await? else { return Ok(None) };
    if annotation(&live.metadata, ADOPTED).is_some() {
        return Ok((release_of(&live.metadata).as_ref() == Some(&release.id)).then_some(live));
    }
    if running(cluster, &live).await?.as_ref() != Some(&release.id.digest) {
        return Ok(None);
    }
    let missing = missing(&live);
    if !missing.is_empty() {
        let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
        return Err(TargetError::Failed {
            doing: format!("adopt deployments {name}"),
            reason: format!("it is not rolled out: {}", missing.join("; ")),
        });
    }
    let change = json!({"metadata": {
        "resourceVersion": live.metadata.resource_version,
        "labels": names.version_selector_labels(&release.id.version),
        "annotations": {
            ADOPTED: now().to_string(),
            // By what its image is called it is known whether somebody has changed it since.
            SPEC: image(&live),
            RELEASE: serde_json::to_string(&release.id).unwrap_or_default(),
        }
    }});
    match cluster.patch(&api, name, &change).await? {
        Patched::Done(adopted) => Ok(Some(*adopted)),
        Patched::Missing => Ok(None),
        Patched::Stale => Err(TargetError::Failed {
            doing: format!("adopt deployments {name}"),
            reason: "it was changed meanwhile; try again".to_owned(),
        }),
    }
}

/// The image of its first container.
fn image(live: &Deployment) -> Option<&str> {
    live.spec.as_ref()?.template.spec.as_ref()?.containers.first()?.image.as_deref()
}

/// The digest of what it runs: as its image is named, else as the runtime of its pods says. `None` if they do not agree.
async fn running(cluster: &Cluster, live: &Deployment) -> Result<Option<Digest>, TargetError> {
    let Some(spec) = &live.spec else { return Ok(None) };
    if let Some(digest) = image(live).and_then(digest_of) {
        return Ok(Some(digest));
    }
    let selector = spec.selector.match_labels.clone().unwrap_or_default();
    if selector.is_empty() || spec.selector.match_expressions.is_some() {
        return Ok(None);
    }
    let pods = cluster.list(&cluster.api::<Pod>(), &query(&selector)).await?;
    let mut digests: Vec<_> = pods.iter().map(image_digest).collect();
    digests.dedup();
    Ok(match digests.as_slice() {
        [one] => one.clone(),
        _ => None,
    })
}

/// The Service of an adopted version: selects by what its Deployment selects by, so that `kubectl rollout undo` and
/// `helm rollback` on it go on being served.
pub(crate) async fn version_service(
    cluster: &Cluster,
    names: &Names,
    release: &Release,
    selector: &BTreeMap<String, String>,
) -> Result<(), TargetError> {
    let port = i32::from(release.instance.container_port.unwrap_or(DEFAULT_PORT));
    let annotations = [(RELEASE.to_owned(), serde_json::to_string(&release.id).unwrap_or_default())];
    let service = Service {
        metadata: ObjectMeta {
            name: Some(names.of_version(&release.id.version)),
            labels: Some(names.version_labels(&release.id.version)),
            annotations: Some(annotations.into()),
            ..ObjectMeta::default()
        },
        spec: Some(ServiceSpec {
            selector: Some(selector.clone()),
            ports: Some(vec![ServicePort {
                name: Some("http".to_owned()),
                port: SERVICE_PORT,
                target_port: Some(IntOrString::Int(port)),
                protocol: Some("TCP".to_owned()),
                ..ServicePort::default()
            }]),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    };
    cluster.apply_again(&cluster.api::<Service>(), &service).await.map(drop)
}

/// The Service at which users reach an adopted Deployment already becomes ours to switch, if it selects its pods. What it selected
/// before is remembered, and comes back when the workload is removed.
pub(crate) async fn users_service(
    cluster: &Cluster,
    names: &Names,
    deployment: &Deployment,
) -> Result<(), TargetError> {
    let api = cluster.api::<Service>();
    let Some(live) = cluster.get(&api, names.service()).await? else { return Ok(()) };
    if names.own(live.metadata.labels.as_ref()) {
        return Ok(());
    }
    let template = deployment.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
    let labels = template.and_then(|metadata| metadata.labels.clone()).unwrap_or_default();
    let selector = selector_of(&live);
    if selector.is_empty() || !selector.iter().all(|(name, value)| labels.get(name) == Some(value)) {
        return Ok(());
    }
    let before = serde_json::to_string(&selector).unwrap_or_default();
    let change = json!({"metadata": {
        "resourceVersion": live.metadata.resource_version,
        "labels": names.selector_labels(),
        "annotations": {BEFORE: before}
    }});
    cluster.patch(&api, names.service(), &change).await.map(drop)
}
