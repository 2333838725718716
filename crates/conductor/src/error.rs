//! Why something asked of the conductor was not done.

use pilotage_engine::{DeploymentId, PlanError};
use pilotage_journal::{AppendError, Lease, LeaseError};
use pilotage_spec::{NameError, Workload};
use pilotage_targets::TargetError;
use pilotage_views::RecordError;
use thiserror::Error;

/// Why something asked of the conductor was not done.
#[derive(Debug, Error)]
pub enum ConductorError {
    /// Another deployment moves the workload.
    #[error(
        "{workload} is held by {}, started by {}; wait for it, or end it with `pilotage abort {}`",
        .lease.holder.what, .lease.holder.who, .lease.holder.what
    )]
    Busy {
        /// The workload.
        workload: Workload,
        /// Who holds it, for what, since when.
        lease: Lease,
    },
    /// Another deployment of the workload waits for its gates.
    #[error(
        "{}, asked for by {}, waits already to move {workload}; wait for it, or give it up with `pilotage abort {}`",
        .lease.holder.what, .lease.holder.who, .lease.holder.what
    )]
    Waiting {
        /// The workload.
        workload: Workload,
        /// Who holds its place, for what, since when.
        lease: Lease,
    },
    /// The file has no such thing.
    #[error("{0}")]
    Unknown(String),
    /// A service that this one needs is not there.
    #[error("{service} needs {needed}, which has never been deployed to {environment}; deploy it first")]
    NeedMissing {
        /// The service.
        service: String,
        /// What it needs.
        needed: String,
        /// Where.
        environment: String,
    },
    /// There is nothing to go back to.
    #[error("{0}")]
    NothingToRestore(String),
    /// The deployment has ended.
    #[error("{0} has ended already; `pilotage history` says how")]
    Ended(DeploymentId),
    /// The request makes no sense at this point.
    #[error("{0}")]
    NotNow(String),
    /// No plan can be made.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The target refused.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The journal did not take it.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The journal cannot be read.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The lease could not be given or taken.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// A name does not fit the journal.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The journal cannot be read.
    #[error(transparent)]
    Read(#[from] pilotage_journal::ReadError),
}
