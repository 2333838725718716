//! Whose a credential is, and what that principal may do.

use std::collections::BTreeSet;
use std::sync::Arc;

use pilotage_spec::{
    Access, ClaimValue, Identity, Issuer, Login, Principal, PrincipalKind, PrincipalName, SignIn, SignInName,
    Verb, WorkloadIdentity,
};

use crate::Permissions;

/// What those to whom the server belongs may do while nobody can say who may do what: look, and take back.
const UNREADABLE: [Verb; 6] = [Verb::Read, Verb::Plan, Verb::Rollback, Verb::Pause, Verb::Audit, Verb::Admin];

/// Whose a credential is, and what that principal may do. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory {
    /// The users to whom the server belongs.
    owners: BTreeSet<PrincipalName>,
    said: Arc<Said>,
}

/// What the file says.
#[derive(Debug)]
enum Said {
    /// Who may do what.
    Access(Access),
    /// Nothing about it: the owners may do everything.
    Nothing,
    /// Nobody knows, for it cannot be read.
    Unreadable,
}

impl Directory {
    /// What a file says; `owners` are the users to whom the server belongs.
    pub fn of(access: Option<&Access>, owners: impl IntoIterator<Item = PrincipalName>) -> Self {
        let said = access.map_or(Said::Nothing, |access| Said::Access(access.clone()));
        Self { owners: owners.into_iter().collect(), said: Arc::new(said) }
    }

    /// While the file cannot be read.
    pub fn unreadable(owners: impl IntoIterator<Item = PrincipalName>) -> Self {
        Self { owners: owners.into_iter().collect(), said: Arc::new(Said::Unreadable) }
    }

    /// The principal that a user of this machine is.
    pub fn peer(&self, user: &PrincipalName) -> Option<PrincipalName> {
        match &*self.said {
            Said::Access(access) => by_user(access, user).cloned(),
            Said::Nothing | Said::Unreadable => self.owners.get(user).cloned(),
        }
    }

    /// The principal whose login at a place to sign in this is.
    pub fn signed_in(&self, sign_in: &SignInName, value: &ClaimValue) -> Option<&PrincipalName> {
        let login = Login::Oidc { sign_in: sign_in.clone(), value: value.clone() };
        self.access()?
            .principals
            .iter()
            .find(|(_, found)| found.logins.contains(&login))
            .map(|(name, _)| name)
    }

    /// The places to sign in.
    pub fn sign_ins(&self) -> impl Iterator<Item = (&SignInName, &SignIn)> {
        self.access().into_iter().flat_map(|access| &access.sign_in)
    }

    /// Those for whom a platform vouches.
    pub fn workloads(&self) -> impl Iterator<Item = (&PrincipalName, &WorkloadIdentity)> {
        let principals = self.access().into_iter().flat_map(|access| &access.principals);
        principals.filter_map(|(name, principal)| Some((name, principal.workload.as_ref()?)))
    }

    /// Whether tokens of an issuer are worth looking at.
    pub fn knows_issuer(&self, issuer: &Issuer) -> bool {
        self.sign_ins().any(|(_, sign_in)| sign_in.issuer == *issuer)
            || self.workloads().any(|(_, workload)| workload.issuer == *issuer)
    }

    /// Who stands behind a name, as the log has it: a principal of the file, or a user of this machine, with the roles that
    /// hold everywhere. `None` for one that is not, or no longer, known.
    pub fn identity(&self, name: &PrincipalName) -> Option<Identity> {
        let roles = self.permissions(name).map(|permissions| permissions.roles_everywhere());
        Some(Identity { roles: roles.unwrap_or_default(), ..self.bare(name)? })
    }

    /// The same with the roles that hold for a service in an environment.
    pub fn identity_at(&self, name: &PrincipalName, environment: &str, service: &str) -> Option<Identity> {
        let roles = self.permissions(name).map(|permissions| permissions.roles_at(environment, service));
        Some(Identity { roles: roles.unwrap_or_default(), ..self.bare(name)? })
    }

    /// What the principal of a name may do; `None` if nobody has it.
    pub fn permissions(&self, name: &PrincipalName) -> Option<Permissions> {
        let is_owner = || self.owners.contains(name);
        match &*self.said {
            Said::Access(access) => {
                let (_, principal) = find(access, name)?;
                Some(Permissions::of(&principal.grants, &access.roles))
            }
            Said::Nothing => is_owner().then(owner),
            Said::Unreadable => is_owner().then(|| Permissions::everywhere_of(UNREADABLE)),
        }
    }

    /// Who may approve deployments of a service in an environment: people alone, with the roles that they have there.
    pub fn approvers(&self, environment: &str, service: &str) -> Vec<Identity> {
        let names: Vec<&PrincipalName> = match &*self.said {
            Said::Access(access) => access.principals.keys().collect(),
            Said::Nothing => self.owners.iter().collect(),
            Said::Unreadable => Vec::new(),
        };
        let may = |name: &&PrincipalName| {
            let permissions = self.permissions(name);
            permissions.is_some_and(|permissions| permissions.allows(Verb::Approve, environment, service))
        };
        let identities =
            names.into_iter().filter(may).filter_map(|name| self.identity_at(name, environment, service));
        identities.filter(|identity| identity.kind == PrincipalKind::Person).collect()
    }

    /// Whether a person answers for a machine or an agent. Nobody answers for another account of a person, even their own: it
    /// may be the one that is kept for what is dangerous.
    pub fn answers_for(&self, person: &Identity, principal: &PrincipalName) -> bool {
        let Some(behind) = self.bare(principal).filter(|behind| behind.kind != PrincipalKind::Person) else {
            return false;
        };
        person.kind == PrincipalKind::Person && behind.person.is_some() && behind.person == person.person
    }

    /// Whether the file names such a principal.
    pub fn has(&self, name: &PrincipalName) -> bool {
        self.access().is_some_and(|access| access.principals.contains_key(name))
    }

    fn bare(&self, name: &PrincipalName) -> Option<Identity> {
        match &*self.said {
            Said::Access(access) => {
                let (name, principal) = find(access, name)?;
                Some(Identity {
                    principal: name.clone(),
                    kind: principal.kind,
                    person: principal.person.clone(),
                    groups: principal.groups.clone(),
                    roles: BTreeSet::new(),
                    // Until a credential says that somebody else has issued it.
                    vouched_by: principal.person.clone(),
                })
            }
            // Every name that the log has then is that of a user of this machine.
            Said::Nothing => Some(Identity::person(name.clone())),
            Said::Unreadable => self.owners.get(name).cloned().map(Identity::person),
        }
    }

    fn access(&self) -> Option<&Access> {
        match &*self.said {
            Said::Access(access) => Some(access),
            Said::Nothing | Said::Unreadable => None,
        }
    }
}

/// The principal of this name, or whose user of this machine has it.
fn find<'a>(access: &'a Access, name: &PrincipalName) -> Option<(&'a PrincipalName, &'a Principal)> {
    let own = access.principals.get_key_value(name);
    own.or_else(|| access.principals.get_key_value(by_user(access, name)?))
}

fn by_user<'a>(access: &'a Access, user: &PrincipalName) -> Option<&'a PrincipalName> {
    let login = Login::Unix(user.clone());
    access.principals.iter().find(|(_, principal)| principal.logins.contains(&login)).map(|(name, _)| name)
}

/// Everything, with the role whose name says so.
fn owner() -> Permissions {
    let roles = Verb::built_in_roles();
    let admin = roles.keys().find(|name| name.as_str() == "admin").cloned();
    let grants = admin.map(|role| pilotage_spec::Grant { role, environments: None, services: None });
    Permissions::of(grants.as_slice(), &roles)
}

#[cfg(test)]
mod tests;
