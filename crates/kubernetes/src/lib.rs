//! Kubernetes as a target.
//!
//! Start reading at [`KubernetesTarget`], whose methods are the files of `act/`; all requests go through `cluster.rs`. `generate/` makes
//! the objects of a version, `rollout/` says whether they are what they should be and why not, `observe/` looks, and `traffic/`
//! holds the ways in which requests find a version. `render/` makes objects of what the project has, `identity/` and `preflight/` look before
//! anything is begun. `edge/` is what runs in an edge pod, and `install/` makes the objects of Pilotage itself.
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
mod identity;
mod install;
mod names;
mod observe;
mod ordinal;
mod preflight;
mod registry;
mod render;
mod rollout;
mod shared;
mod target;
mod traffic;

pub use config::KubernetesConfig;
pub use edge::{FeederConfig, FeederError, InCluster, in_cluster_client, leave, run_edge_feeder};
pub use identity::{ClusterIdentity, Identities};
pub use install::{
    ChartFile, EdgeInstall, Rule as GrantedRule, ServerInstall, chart_files, edge_objects, manifests,
    server_objects, server_rules,
};
pub use preflight::{Rule, all_rules, inspect_cluster};
pub use target::KubernetesTarget;
pub use traffic::{
    CanaryOrder, CanaryPhase, CanaryRequest, CanaryState, HandedOver, RolloutOrder, RolloutPhase,
    RolloutRequest, RolloutState, WorkloadReference,
};
