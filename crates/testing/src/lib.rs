//! The real programs and engines that tests need. Used by tests and by `cargo xtask` only; nothing of it is in the product.
//!
//! [`need`] is for programs, [`need_docker`], [`need_swarm`] and [`need_kube`] are for the [`rig`]s.

mod engines;
mod part;
pub mod rig;
mod skip;

pub use engines::{
    DOCKER_VARIABLE, KUBECONFIG_VARIABLE, REGISTRY_VARIABLE, Used, need_api_server, need_definitions,
    need_docker, need_docker_alone, need_kube, need_kube_alone, need_swarm, need_swarm_alone,
};
pub use part::Part;
pub use skip::{NO_SKIP_VARIABLE, SKIPPED_FILE_VARIABLE, need, want};
