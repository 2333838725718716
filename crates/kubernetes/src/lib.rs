//! Kubernetes as a target.
//!
//! Start reading at [`KubernetesTarget`], whose methods are the files of `act/`; all requests go through `cluster.rs`. `generate/` makes
//! the objects of a version, `rollout/` says whether they are what they should be and why not, `observe/` looks, and `traffic/`
//! holds the ways in which requests find a version. `edge/` is what runs in an edge pod, and `install/` makes the objects of Pilotage itself.
//!
//! What must never happen here: an object of somebody else changed by force, an instance stopped by [`act::ensure`], a secret in
//! anything but a Secret.

mod act;
mod adopt;
mod answer;
mod client;
mod cluster;
mod config;
mod edge;
mod generate;
mod install;
mod names;
mod observe;
mod ordinal;
mod registry;
mod rollout;
mod target;
mod traffic;

pub use config::KubernetesConfig;
pub use edge::{FeederConfig, FeederError, InCluster, in_cluster_client, leave, run_edge_feeder};
pub use install::{
    ChartFile, EdgeInstall, Rule, ServerInstall, chart_files, edge_objects, manifests, server_objects,
    server_rules,
};
pub use target::KubernetesTarget;
