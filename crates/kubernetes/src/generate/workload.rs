//! What keeps the pods of a version up. The number of replicas is never part of what is applied: it belongs to whoever scales,
//! and to set it is a change of its own.

use k8s_openapi::api::apps::v1::{
    Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment,
    RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use pilotage_targets::TargetError;

use super::blueprint::Blueprint;
use super::pod::pod_template;
use super::probes::seconds;

/// Old templates that `kubectl rollout undo` can go back to.
const REVISIONS_KEPT: i32 = 3;

/// The Deployment of one version.
pub(crate) fn deployment(blueprint: &Blueprint<'_>) -> Result<Deployment, TargetError> {
    let version = &blueprint.release.id.version;
    let one = Some(IntOrString::Int(1));
    let spec = DeploymentSpec {
        selector: LabelSelector {
            match_labels: Some(blueprint.names.version_selector_labels(version)),
            ..LabelSelector::default()
        },
        template: pod_template(blueprint)?,
        progress_deadline_seconds: Some(seconds(blueprint.instance().start_timeout)),
        revision_history_limit: Some(REVISIONS_KEPT),
        // Only where the settings of a version change: none is missing meanwhile.
        strategy: Some(DeploymentStrategy {
            type_: Some("RollingUpdate".to_owned()),
            rolling_update: Some(RollingUpdateDeployment {
                max_surge: one,
                max_unavailable: Some(IntOrString::Int(0)),
            }),
        }),
        ..DeploymentSpec::default()
    };
    Ok(Deployment {
        metadata: blueprint.metadata(blueprint.names.of_version(version)),
        spec: Some(spec),
        ..Deployment::default()
    })
}

/// The StatefulSet of the workload: one for all versions, since its pods have names and volumes of their own. Those from
/// `partition` on are of this version.
pub(crate) fn stateful_set(blueprint: &Blueprint<'_>, partition: i32) -> Result<StatefulSet, TargetError> {
    let name = blueprint.names.service().to_owned();
    let spec = StatefulSetSpec {
        selector: LabelSelector {
            match_labels: Some(blueprint.names.selector_labels()),
            ..LabelSelector::default()
        },
        service_name: Some(blueprint.names.beside("pods")),
        template: pod_template(blueprint)?,
        // One that does not get ready must not keep the others from being put right.
        pod_management_policy: Some("Parallel".to_owned()),
        revision_history_limit: Some(REVISIONS_KEPT),
        update_strategy: Some(StatefulSetUpdateStrategy {
            type_: Some("RollingUpdate".to_owned()),
            rolling_update: Some(RollingUpdateStatefulSetStrategy {
                partition: Some(partition),
                ..RollingUpdateStatefulSetStrategy::default()
            }),
        }),
        ..StatefulSetSpec::default()
    };
    let mut metadata = blueprint.metadata(name);
    metadata.labels = Some(blueprint.names.labels());
    Ok(StatefulSet { metadata, spec: Some(spec), ..StatefulSet::default() })
}
