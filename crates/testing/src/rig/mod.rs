//! Rigs: a real Docker Engine with an image registry, a swarm, and a real Kubernetes with nodes that run pods, all from
//! Debian's packages, each on its own beside whatever else the machine runs.
//!
//! A rig is brought up by `cargo xtask docker|swarm|kube up` or `cargo xtask test`, outlives who brought it up, and is found
//! by its record in `~/.cache/pilotage-test/run`. Its programs are stopped by their recorded processes only. Needs root.
//!
//! | rig | bridge | addresses |
//! |---|---|---|
//! | Docker | `pilotage0` | 172.29.0.0/16 |
//! | Swarm | `pilotage1`, `docker_gwbridge` | 172.28.0.0/16 |
//! | Kubernetes' pods | `pilotage2` | 172.30.0.0/16 |
//! | Kubernetes' Services | – | 10.96.0.0/20 |
//!
//! Programs that only a rig needs stay in it: nothing here is part of the product.

mod command;
mod daemon;
pub mod docker;
mod engine;
mod error;
mod folder;
mod http;
mod images;
pub mod kube;
pub(crate) mod lock;
mod mounts;
mod network;
mod port;
pub mod private_registry;
mod program;
mod registry;
pub mod runtime;
mod state;
pub mod swarm;
mod wait;

pub use docker::Docker;
pub use error::RigError;
pub use http::get;
pub use images::{Image, SAMPLE_PORT};
pub use kube::Kube;
pub use lock::{Lock, lock_for_run, nobody_runs};
pub use private_registry::PrivateRegistry;
pub use program::{FOR_DOCKER, FOR_KUBE, FOR_KUBE_BUILD, Program};
pub use swarm::Swarm;
