//! Docker hosts and Swarm as targets: a Docker Engine or podman, here or elsewhere.
//!
//! Start reading at [`DockerTarget`]. What is there is asked of the engine each time; what has to be remembered is in labels.

mod clock;
pub mod compose;
mod config;
mod engine;
mod ensure;
mod image;
mod instance;
mod names;
mod network;
mod observe;
mod prune;
mod refresh;
mod retire;
mod shared;
mod start;
mod swarm;
mod target;
mod watch;

pub use config::DockerConfig;
pub use swarm::SwarmTarget;
pub use target::DockerTarget;
