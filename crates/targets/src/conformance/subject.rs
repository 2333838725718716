//! What the suite needs from a target beyond the contract.

use std::net::SocketAddr;

use async_trait::async_trait;
use pilotage_spec::{Release, Version, Workload};

use crate::{Instance, Target};

/// How a service of the suite behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It is ready soon, and answers every request.
    Good,
    /// It ends as soon as it is started.
    EndsAtOnce,
}

/// A target together with the means to disturb it.
#[async_trait]
pub trait Subject: Send + Sync {
    /// The target.
    fn target(&self) -> &dyn Target;

    /// The workload that the suite may use; each check begins and ends without instances of it.
    fn workload(&self) -> Workload;

    /// Where users are to reach the workload; port 0 lets the target choose.
    fn listen(&self) -> SocketAddr;

    /// A staged release of a service that behaves like this.
    async fn release(&self, version: &Version, behaviour: Behaviour) -> Release;

    /// Makes the process of a ready instance end by itself.
    async fn crash(&self, instance: &Instance);

    /// Sends one request as a user would, and says which version answered it; `None` if none did.
    async fn answered_by(&self, listen: SocketAddr) -> Option<Version>;

    /// Lets the control plane's end of the target go without a word, and opens it anew.
    async fn reopen(&mut self);
}
