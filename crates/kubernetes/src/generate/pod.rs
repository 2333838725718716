//! The pods of a version.

use k8s_openapi::api::core::v1::{
    Affinity, EmptyDirVolumeSource, LocalObjectReference, PodAffinityTerm, PodAntiAffinity,
    PodSecurityContext, PodSpec, PodTemplateSpec, SeccompProfile, SecretVolumeSource, Toleration, Volume,
    WeightedPodAffinityTerm,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use pilotage_targets::TargetError;

use super::blueprint::Blueprint;
use super::container::{SECRETS_VOLUME, TEMPORARY_VOLUME, container};
use super::probes::seconds;

/// For every user of the container, since it is not known here which one it runs as; nobody else sees the volume.
const SECRET_MODE: i32 = 0o444;
/// A node that does not answer is given up for its pods after so long; Kubernetes itself would wait for five minutes.
const NODE_PATIENCE_SECONDS: i64 = 60;
/// Where the scheduler has a choice, instances stand on different nodes.
const NODE: &str = "kubernetes.io/hostname";

/// What every pod of the version is made from.
pub(crate) fn pod_template(blueprint: &Blueprint<'_>) -> Result<PodTemplateSpec, TargetError> {
    let metadata = ObjectMeta {
        labels: Some(blueprint.names.version_labels(&blueprint.release.id.version)),
        annotations: Some(blueprint.annotations()),
        ..ObjectMeta::default()
    };
    Ok(PodTemplateSpec { metadata: Some(metadata), spec: Some(pod(blueprint)?) })
}

fn pod(blueprint: &Blueprint<'_>) -> Result<PodSpec, TargetError> {
    let pull = blueprint.image_pull_secrets.iter();
    let pull: Vec<_> = pull.map(|name| LocalObjectReference { name: name.clone() }).collect();
    Ok(PodSpec {
        containers: vec![container(blueprint)?],
        volumes: Some(volumes(blueprint)),
        affinity: Some(apart(blueprint)),
        automount_service_account_token: Some(blueprint.service_account.is_some()),
        service_account_name: blueprint.service_account.map(str::to_owned),
        enable_service_links: Some(false),
        image_pull_secrets: (!pull.is_empty()).then_some(pull),
        security_context: Some(PodSecurityContext {
            seccomp_profile: Some(SeccompProfile {
                type_: "RuntimeDefault".to_owned(),
                ..SeccompProfile::default()
            }),
            ..PodSecurityContext::default()
        }),
        tolerations: Some(patience()),
        termination_grace_period_seconds: Some(i64::from(seconds(blueprint.instance().stop_grace))),
        ..PodSpec::default()
    })
}

/// How long a pod stays with a node that is lost.
fn patience() -> Vec<Toleration> {
    let lost = |taint: &str| Toleration {
        key: Some(format!("node.kubernetes.io/{taint}")),
        operator: Some("Exists".to_owned()),
        effect: Some("NoExecute".to_owned()),
        toleration_seconds: Some(NODE_PATIENCE_SECONDS),
        ..Toleration::default()
    };
    vec![lost("not-ready"), lost("unreachable")]
}

fn volumes(blueprint: &Blueprint<'_>) -> Vec<Volume> {
    let temporary = Volume {
        name: TEMPORARY_VOLUME.to_owned(),
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..Volume::default()
    };
    let secrets = blueprint.secrets.files.as_ref().map(|name| Volume {
        name: SECRETS_VOLUME.to_owned(),
        secret: Some(SecretVolumeSource {
            secret_name: Some(name.clone()),
            default_mode: Some(SECRET_MODE),
            ..SecretVolumeSource::default()
        }),
        ..Volume::default()
    });
    std::iter::once(temporary).chain(secrets).collect()
}

fn apart(blueprint: &Blueprint<'_>) -> Affinity {
    let selector = LabelSelector {
        match_labels: Some(blueprint.names.version_selector_labels(&blueprint.release.id.version)),
        ..LabelSelector::default()
    };
    let term = PodAffinityTerm {
        label_selector: Some(selector),
        topology_key: NODE.to_owned(),
        ..PodAffinityTerm::default()
    };
    let preferred = vec![WeightedPodAffinityTerm { weight: 100, pod_affinity_term: term }];
    Affinity {
        pod_anti_affinity: Some(PodAntiAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(preferred),
            ..PodAntiAffinity::default()
        }),
        ..Affinity::default()
    }
}
