//! Who may do what: `access` of the file.

mod login;
mod principal;
mod role;
mod sign_in;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use login::{Login, LoginError};
pub use principal::{Grant, Principal};
pub use role::Verb;
pub use sign_in::{Audience, ClaimName, ClaimValue, Issuer, SignIn, SignInName, WorkloadIdentity};

use crate::{PrincipalName, RoleName};

/// Who may do what. Whoever is not in it may do nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// People, machines and agents: no two have the same name.
    pub principals: BTreeMap<PrincipalName, Principal>,
    /// What a role lets do: the built-in ones and those of the file.
    pub roles: BTreeMap<RoleName, BTreeSet<Verb>>,
    /// Where people sign in.
    pub sign_in: BTreeMap<SignInName, SignIn>,
}
