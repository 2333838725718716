//! Targets: what they name of the inventory must be in it.

use std::collections::BTreeMap;

use super::report_unknown;
use crate::read::fault::Faults;
use crate::read::file::{KubernetesDraft, TargetDraft};
use crate::read::node::Spanned;
use crate::read::shape::Named;
use crate::{Cluster, ClusterName, KubernetesSettings, TargetSettings};

/// The inventory; clusters with a fault are left out.
pub(super) fn clusters(written: Named<ClusterName, Cluster>) -> BTreeMap<ClusterName, Cluster> {
    written.into_iter().filter_map(|(name, cluster)| Some((name.value, cluster?))).collect()
}

/// A target in its final form.
pub(super) fn resolve(
    draft: Spanned<TargetDraft>,
    clusters: &BTreeMap<ClusterName, Cluster>,
    faults: &mut Faults,
) -> Option<TargetSettings> {
    Some(match draft.value {
        TargetDraft::Process => TargetSettings::Process,
        TargetDraft::Docker(docker) => TargetSettings::Docker(Box::new(docker)),
        TargetDraft::Swarm(docker) => TargetSettings::Swarm(Box::new(docker)),
        TargetDraft::Command(command) => TargetSettings::Command(Box::new(command)),
        TargetDraft::Kubernetes(kubernetes) => {
            if kubernetes.cluster.is_none() && !clusters.is_empty() {
                faults
                    .error(
                        &draft.span,
                        "this target names no cluster, and the project has an inventory of them",
                    )
                    .help("write `cluster: NAME` with a name under `clusters`");
            }
            TargetSettings::Kubernetes(Box::new(in_cluster(kubernetes, clusters, faults)?))
        }
    })
}

fn in_cluster(
    draft: KubernetesDraft,
    clusters: &BTreeMap<ClusterName, Cluster>,
    faults: &mut Faults,
) -> Option<KubernetesSettings> {
    let reach = match &draft.cluster {
        None => draft.reach,
        Some(name) => {
            let Some(cluster) = clusters.get(&name.value) else {
                let known = clusters.keys().map(ClusterName::as_str);
                report_unknown("cluster", name.value.as_str(), &name.span, known, faults);
                return None;
            };
            check_namespace(&draft.namespace, name, cluster, faults);
            cluster.reach.clone()
        }
    };
    Some(KubernetesSettings {
        cluster: draft.cluster.map(|name| name.value),
        reach,
        namespace: draft.namespace.value,
        traffic: draft.traffic,
        service_account: draft.service_account,
        image_pull_secrets: draft.image_pull_secrets,
        edge_image: draft.edge_image.map(|image| image.to_string()),
    })
}

fn check_namespace(
    namespace: &Spanned<crate::Namespace>,
    name: &Spanned<ClusterName>,
    cluster: &Cluster,
    faults: &mut Faults,
) {
    if !cluster.namespaces.contains(&namespace.value) {
        let listed: Vec<&str> = cluster.namespaces.iter().map(crate::Namespace::as_str).collect();
        faults
            .error(
                &namespace.span,
                format!("cluster `{}` has no namespace `{}` for this project", name.value, namespace.value),
            )
            .help(format!("use {}, or add it to the cluster's `namespaces`", listed.join(" or ")));
    }
}
