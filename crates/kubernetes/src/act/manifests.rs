//! Versions whose objects are made of what the project has.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Container, EnvVar, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::api::DynamicObject;
use kube::core::{ApiResource, GroupVersionKind};
use pilotage_spec::{Digest, Manifests, Workload, WorkloadKind};
use pilotage_targets::TargetError;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::generate::{Blueprint, deployment};
use crate::render::{ObjectName, Preparation, Prepared, Rendering, prepare};

use super::Actor;

impl Actor {
    /// Renders manifests, keeps what comes out, and says its digest. What will not be allowed is said now.
    pub(super) async fn render(
        &self,
        workload: &Workload,
        manifests: &Manifests,
    ) -> Result<Digest, TargetError> {
        let cluster = self.cluster().await?;
        let version = cluster.version().await?;
        let rendering = Rendering {
            manifests,
            service: &workload.service,
            namespace: &self.settings.namespace,
            cluster_version: Some(&format!("{}.{}", version.0, version.1)),
        };
        let rendered = self.renderer.render(&rendering).await?;
        for warning in &rendered.warnings {
            tracing::warn!(%workload, "{warning}");
        }
        let needs = crate::preflight::needs(cluster.namespace(), &self.settings.traffic, &rendered.objects);
        crate::preflight::missing(&cluster, &needs).await?.refuse()?;
        Ok(rendered.digest)
    }

    /// The objects of a version, if they were rendered for it.
    pub(super) async fn prepared(&self, blueprint: &Blueprint<'_>) -> Result<Option<Prepared>, TargetError> {
        let Some(digest) = &blueprint.instance().objects else { return Ok(None) };
        let objects = self.renderer.load(digest).await?;
        let version = &blueprint.release.id.version;
        let prepared = prepare(
            &objects,
            &Preparation {
                service: &blueprint.workload.service,
                namespace: &self.settings.namespace,
                name: &blueprint.names.of_version(version),
                labels: &blueprint.names.labels(),
                version_labels: &blueprint.names.version_labels(version),
                image: Some(&blueprint.image()?),
            },
        )?;
        if prepared.kind == WorkloadKind::StatefulSet {
            return Err(TargetError::Unsupported {
                what: format!("the StatefulSet of the manifests of {}", blueprint.workload),
                mend: "let it be generated (`kubernetes: { kind: stateful-set }`), or make it a Deployment"
                    .to_owned(),
            });
        }
        Ok(Some(prepared))
    }
}

/// The Deployment of the manifests, with what only Pilotage knows of the version: what it is, and the environment of its service.
pub(super) fn manifest_deployment(
    prepared: &Prepared,
    blueprint: &Blueprint<'_>,
) -> Result<Deployment, TargetError> {
    let odd = |reason: String| TargetError::Unsupported {
        what: format!("the Deployment of the manifests of {}", blueprint.workload),
        mend: format!("{reason}; correct the manifest"),
    };
    let mut wanted: Deployment =
        serde_json::from_value(prepared.workload.clone()).map_err(|error| odd(error.to_string()))?;
    wanted.metadata.annotations.get_or_insert_default().extend(blueprint.annotations());
    let spec = wanted.spec.as_mut().ok_or_else(|| odd("it has no `spec`".to_owned()))?;
    // It belongs to whoever scales.
    spec.replicas = None;
    let metadata = spec.template.metadata.get_or_insert_default();
    metadata.annotations.get_or_insert_default().extend(blueprint.annotations());
    let pod = spec.template.spec.as_mut().ok_or_else(|| odd("it has no pods".to_owned()))?;
    let own = deployment(blueprint)?.spec.and_then(|spec| spec.template.spec).unwrap_or_default();
    if let (Some(container), Some(own)) = (pod.containers.first_mut(), own.containers.into_iter().next()) {
        complete(container, own);
    }
    let files = own.volumes.into_iter().flatten().filter(|volume| volume.secret.is_some());
    pod.volumes.get_or_insert_default().extend(files);
    pod.service_account_name = pod.service_account_name.take().or(own.service_account_name);
    pod.image_pull_secrets = pod.image_pull_secrets.take().or(own.image_pull_secrets);
    Ok(wanted)
}

/// Adds the variables and files of `pilotage.yaml`; the rest is as the manifest says. Of the same name, that of `pilotage.yaml` counts.
fn complete(container: &mut Container, own: Container) {
    let port = listening(container);
    let mut env: Vec<EnvVar> = container.env.take().unwrap_or_default();
    for variable in own.env.into_iter().flatten() {
        // The manifest says where it listens, and where it may write.
        let written = env.iter().any(|known| known.name == variable.name);
        match variable.name.as_str() {
            "TMPDIR" => {}
            "PORT" if written => {}
            "PORT" => {
                let value = port.map(|port| port.to_string()).or(variable.value);
                env.push(EnvVar { name: variable.name, value, value_from: None });
            }
            _ => {
                env.retain(|known| known.name != variable.name);
                env.push(variable);
            }
        }
    }
    container.env = Some(env);
    let files = own.volume_mounts.into_iter().flatten().filter(|mount| mount.read_only == Some(true));
    container.volume_mounts.get_or_insert_default().extend(files);
}

/// The first port that a container says it listens at.
fn listening(container: &Container) -> Option<i32> {
    container.ports.as_ref()?.first().map(|port| port.container_port)
}

/// Lets the Service of a version lead to the port that the manifest names.
pub(super) fn listen_as_written(service: &mut Service, deployment: &Deployment) {
    let pod = deployment.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let Some(port) = pod.and_then(|pod| pod.containers.first()).and_then(listening) else { return };
    let ports = service.spec.as_mut().and_then(|spec| spec.ports.as_mut());
    for service_port in ports.into_iter().flatten() {
        service_port.target_port = Some(IntOrString::Int(port));
    }
}

/// Applies what all versions share. The Service of users is only made if it is missing: from then on it belongs to the traffic.
pub(super) async fn apply_shared(cluster: &Cluster, prepared: &Prepared) -> Result<(), TargetError> {
    for object in &prepared.others {
        apply(cluster, object.clone()).await?;
    }
    if let Some(front) = &prepared.front {
        let mut front = front.clone();
        let nobody: BTreeMap<&str, &str> = [(crate::names::VERSION, "nobody")].into();
        front["spec"]["selector"] = json!(nobody);
        let (resource, object) = dynamic(cluster, front).await?;
        cluster.create(&cluster.dynamic(&resource), &object).await?;
    }
    Ok(())
}

/// Applies what belongs to the version alone; it goes with its Deployment.
pub(super) async fn apply_companions(
    cluster: &Cluster,
    prepared: &Prepared,
    owner: &OwnerReference,
) -> Result<(), TargetError> {
    for object in &prepared.companions {
        let mut object = object.clone();
        object["metadata"]["ownerReferences"] = json!([owner]);
        apply(cluster, object).await?;
    }
    Ok(())
}

async fn apply(cluster: &Cluster, object: Value) -> Result<(), TargetError> {
    let (resource, object) = dynamic(cluster, object).await?;
    cluster.apply(&cluster.dynamic(&resource), &object).await?;
    Ok(())
}

/// An object with the resource by which it is asked for, in the version that it is written in.
async fn dynamic(cluster: &Cluster, object: Value) -> Result<(ApiResource, DynamicObject), TargetError> {
    let name = ObjectName::of(&object);
    let (group, kind) = (name.group.to_owned(), name.kind.to_owned());
    let doing = format!("apply {name}");
    let version = object.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let version = version.rsplit('/').next().unwrap_or_default();
    let wanted = GroupVersionKind::gvk(&group, version, &kind);
    let resource = match group.as_str() {
        // The core kinds are the same everywhere.
        "" => ApiResource::from_gvk(&wanted),
        _ => {
            let known = cluster.resource(&group, &kind).await?.ok_or_else(|| TargetError::Unsupported {
                what: format!("{doing} of the group `{group}`"),
                mend: format!(
                    "the cluster knows no {kind} there: install it, or take the object out of the manifests"
                ),
            })?;
            ApiResource::from_gvk_with_plural(&wanted, &known.plural)
        }
    };
    let object = serde_json::from_value(object)
        .map_err(|error| TargetError::Failed { doing, reason: error.to_string() })?;
    Ok((resource, object))
}
