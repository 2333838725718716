//! Kubernetes as a target.
//!
//! Start reading at [`KubernetesTarget`], whose methods are the files of `act/`; all requests go through `cluster.rs`. `generate/` makes
//! the objects of a version, `rollout/` says whether they are what they should be and why not, `observe/` looks, and `traffic/`
//! holds the ways in which requests find a version.
//!
//! What must never happen here: an object of somebody else changed by force, an instance stopped by [`act::ensure`], a secret in
//! anything but a Secret.

mod act;
mod adopt;
mod answer;
mod client;
mod cluster;
mod config;
mod generate;
mod names;
mod observe;
mod ordinal;
mod registry;
mod rollout;
mod target;
mod traffic;

pub use config::KubernetesConfig;
pub use target::KubernetesTarget;
pub use traffic::{
    CanaryOrder, CanaryPhase, CanaryRequest, CanaryState, HandedOver, RolloutControllers, RolloutOrder,
    RolloutPhase, RolloutRequest, RolloutState, WorkloadReference,
};
