//! Flagger: its objects made from a strategy, driven by the fields that its controller looks at, and read into our status, so that a
//! team can stay on it.

mod canary;
mod drive;
mod metrics;
mod read;
mod route;

pub use canary::CanaryRequest;
pub use drive::CanaryOrder;
pub(crate) use drive::drive;
pub use read::{CanaryPhase, CanaryState};

/// Canaries that Flagger carries out with this provider.
#[derive(Debug, Clone)]
pub(crate) struct Flagger {
    /// Flagger's word for who shares the traffic, such as `istio`.
    pub(crate) provider: String,
}

#[cfg(test)]
pub(super) mod tests;
