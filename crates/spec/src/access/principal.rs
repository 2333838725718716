//! Those who may do something.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Login, WorkloadIdentity};
use crate::{EnvironmentName, PrincipalKind, PrincipalName, RoleName, ServiceName};

/// Somebody, or something, that may act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// What it is.
    pub kind: PrincipalKind,
    /// The human being behind it: a person's own name, or who answers for it.
    pub person: Option<PrincipalName>,
    /// The groups that it belongs to.
    pub groups: BTreeSet<RoleName>,
    /// What it may do.
    pub grants: Vec<Grant>,
    /// How it is recognised.
    pub logins: BTreeSet<Login>,
    /// The tokens by which a platform vouches for a job of its own.
    pub workload: Option<WorkloadIdentity>,
}

/// A role, everywhere or in some places.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role.
    pub role: RoleName,
    /// The environments in which it holds; `None`: in all.
    pub environments: Option<BTreeSet<EnvironmentName>>,
    /// The services for which it holds; `None`: for all.
    pub services: Option<BTreeSet<ServiceName>>,
}
