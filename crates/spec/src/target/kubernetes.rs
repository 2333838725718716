//! Kubernetes clusters.

use serde::{Deserialize, Serialize};

use crate::{ClusterName, Namespace, RelativePath};

use super::ClusterReach;

/// A namespace of a cluster, and how workloads are run there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesSettings {
    /// The cluster's name in the inventory, if it is of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterName>,
    /// How it is reached.
    pub reach: ClusterReach,
    /// The namespace.
    pub namespace: Namespace,
    /// How users' requests come to the pods.
    pub traffic: KubernetesTraffic,
    /// The service account of the pods; without it, they have no credential for the cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
    /// The Secrets by which images are pulled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub image_pull_secrets: Vec<String>,
    /// The image of Pilotage itself, for edges in the cluster; without it, the one that the control plane was started with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge_image: Option<String>,
}

/// How users' requests come to the pods.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KubernetesTraffic {
    /// A Service whose selector is switched; shares only as the replicas stand to each other.
    #[default]
    Service,
    /// The edge of the control plane's own machine, which reaches the pods.
    Host,
    /// Pods of Pilotage's edge in the cluster.
    Edge,
    /// An HTTPRoute of the Gateway API.
    Gateway {
        /// The Gateway that the route is attached to.
        parent: String,
        /// The Gateway's namespace; without it, the target's.
        namespace: Option<Namespace>,
    },
    /// A VirtualService of Istio.
    Istio {
        /// Its gateways; without any, the mesh alone.
        gateways: Vec<String>,
    },
    /// Ingresses with the canary annotations of ingress-nginx.
    Nginx {
        /// The ingress class.
        class: String,
    },
    /// A TraefikService and an IngressRoute.
    Traefik {
        /// The entry points.
        entry_points: Vec<String>,
    },
    /// A Rollout, which Argo Rollouts carries out.
    ArgoRollouts,
    /// A Canary, which Flagger carries out.
    Flagger {
        /// Flagger's provider, such as `kubernetes`, `istio`, `nginx`, `traefik` or `gatewayapi:v1`.
        provider: String,
    },
}

impl KubernetesTraffic {
    /// The mode as written in the file.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Host => "host",
            Self::Edge => "edge",
            Self::Gateway { .. } => "gateway",
            Self::Istio { .. } => "istio",
            Self::Nginx { .. } => "nginx",
            Self::Traefik { .. } => "traefik",
            Self::ArgoRollouts => "argo-rollouts",
            Self::Flagger { .. } => "flagger",
        }
    }
}

/// How a service is a workload of Kubernetes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KubernetesWorkload {
    /// What its objects are made of; without it, they are generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifests: Option<Manifests>,
    /// The kind of object that is generated.
    #[serde(default)]
    pub kind: WorkloadKind,
    /// A Deployment that runs already and becomes the stable version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adopt: Option<String>,
}

/// The kind of object that keeps pods up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadKind {
    /// A Deployment.
    #[default]
    Deployment,
    /// A StatefulSet, whose pods have names and volumes of their own.
    StatefulSet,
}

impl WorkloadKind {
    /// The words of the file.
    pub const WORDS: [(&'static str, Self); 2] =
        [("deployment", Self::Deployment), ("stateful-set", Self::StatefulSet)];
}

/// What a service's objects are made of. All paths are in the project's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manifests {
    /// Files of YAML.
    Plain(Vec<RelativePath>),
    /// A folder with a `kustomization.yaml`.
    Kustomize(RelativePath),
    /// A chart of Helm.
    Helm {
        /// The chart's folder.
        chart: RelativePath,
        /// Files of values, the later ones winning.
        values: Vec<RelativePath>,
        /// The name of the release; without it, the service's.
        release: Option<String>,
    },
}
