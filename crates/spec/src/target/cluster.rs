//! The inventory of clusters.

use serde::{Deserialize, Serialize};

use crate::Namespace;

/// One cluster of the inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// How it is reached.
    pub reach: ClusterReach,
    /// The namespaces that environments may use.
    pub namespaces: Vec<Namespace>,
    /// Where it stands; clusters of one region may fail together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// How a cluster is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClusterReach {
    /// As the pod that the control plane itself is.
    InCluster,
    /// By a `kubeconfig`.
    Kubeconfig {
        /// The file, absolute or relative to the project's folder; without it, the usual one.
        file: Option<String>,
        /// The context; without it, the file's current one.
        context: Option<String>,
    },
    /// In the cluster where the control plane runs in one, else by the usual `kubeconfig` with its current context.
    #[default]
    Usual,
}
