//! Argo Rollouts: its objects made from a strategy, driven as its own command line does, and read into our status, so that a team
//! can stay on it.

mod analysis;
mod drive;
mod read;
mod rollout;
mod route;
mod steps;

pub use drive::RolloutOrder;
pub(crate) use drive::drive;
pub use read::{RolloutPhase, RolloutState};
pub use rollout::{RolloutRequest, WorkloadReference};

/// Rollouts of the team, which Argo's controller carries out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ArgoRollouts;

#[cfg(test)]
pub(super) mod tests;
