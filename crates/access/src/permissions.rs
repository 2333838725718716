//! What somebody may do, and where.

use std::collections::{BTreeMap, BTreeSet};

use pilotage_spec::{EnvironmentName, Grant, RoleName, ServiceName, Verb};
use serde::{Deserialize, Serialize};

/// What somebody may do: the union of its roles, each in its places, cut down to the scope of its credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    permits: Vec<Permit>,
    scope: Scope,
}

/// The verbs of one role in its places.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Permit {
    role: Option<RoleName>,
    verbs: BTreeSet<Verb>,
    places: Places,
}

/// Environments and services; `None` is all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Places {
    environments: Option<BTreeSet<EnvironmentName>>,
    services: Option<BTreeSet<ServiceName>>,
}

/// What a credential is for. It never adds to what its principal may do; `None` takes nothing away.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Only these verbs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verbs: Option<BTreeSet<Verb>>,
    /// Only in these environments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environments: Option<BTreeSet<EnvironmentName>>,
    /// Only these services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<BTreeSet<ServiceName>>,
}

impl Permissions {
    /// What these grants give. A role that nobody knows gives nothing.
    pub fn of(grants: &[Grant], roles: &BTreeMap<RoleName, BTreeSet<Verb>>) -> Self {
        let permit = |grant: &Grant| {
            let verbs = roles.get(&grant.role)?.clone();
            let places =
                Places { environments: grant.environments.clone(), services: grant.services.clone() };
            Some(Permit { role: Some(grant.role.clone()), verbs, places })
        };
        Self { permits: grants.iter().filter_map(permit).collect(), scope: Scope::default() }
    }

    /// These verbs everywhere, without a role.
    pub fn everywhere_of(verbs: impl IntoIterator<Item = Verb>) -> Self {
        let permit = Permit { role: None, verbs: verbs.into_iter().collect(), places: Places::default() };
        Self { permits: vec![permit], scope: Scope::default() }
    }

    /// The same, cut down to a scope.
    #[must_use]
    pub fn within(self, scope: Scope) -> Self {
        Self { scope, ..self }
    }

    /// Whether something may be done to a service in an environment.
    pub fn allows(&self, verb: Verb, environment: &str, service: &str) -> bool {
        self.scope.holds(verb, environment, service)
            && self
                .permits
                .iter()
                .any(|permit| permit.verbs.contains(&verb) && permit.places.hold(environment, service))
    }

    /// Whether something may be done to every service in every environment, and to what belongs to none.
    pub fn everywhere(&self, verb: Verb) -> bool {
        let is_everywhere =
            |permit: &Permit| permit.verbs.contains(&verb) && permit.places == Places::default();
        self.scope.includes(verb)
            && self.scope.environments.is_none()
            && self.scope.services.is_none()
            && self.permits.iter().any(is_everywhere)
    }

    /// Whether something may be done at one place at least.
    pub fn somewhere(&self, verb: Verb) -> bool {
        self.scope.includes(verb) && self.permits.iter().any(|permit| self.reaches(permit, verb))
    }

    /// Whether a permit has a place left within the scope.
    fn reaches(&self, permit: &Permit, verb: Verb) -> bool {
        permit.verbs.contains(&verb)
            && meet(&permit.places.environments, &self.scope.environments)
            && meet(&permit.places.services, &self.scope.services)
    }

    /// The roles that hold for a service in an environment. A credential that is not for all that a role may do does not
    /// carry the role.
    pub fn roles_at(&self, environment: &str, service: &str) -> BTreeSet<RoleName> {
        let holds = |permit: &&Permit| {
            permit.places.hold(environment, service)
                && permit.verbs.iter().all(|verb| self.scope.holds(*verb, environment, service))
        };
        self.permits.iter().filter(holds).filter_map(|permit| permit.role.clone()).collect()
    }

    /// The roles that hold everywhere.
    pub fn roles_everywhere(&self) -> BTreeSet<RoleName> {
        if self.scope != Scope::default() {
            return BTreeSet::new();
        }
        let everywhere = self.permits.iter().filter(|permit| permit.places == Places::default());
        everywhere.filter_map(|permit| permit.role.clone()).collect()
    }

    /// The verbs that may be used at one place at least.
    pub fn verbs(&self) -> BTreeSet<Verb> {
        Verb::ALL.into_iter().filter(|verb| self.somewhere(*verb)).collect()
    }
}

impl Places {
    fn hold(&self, environment: &str, service: &str) -> bool {
        contains(&self.environments, environment) && contains(&self.services, service)
    }
}

impl Scope {
    fn includes(&self, verb: Verb) -> bool {
        self.verbs.as_ref().is_none_or(|verbs| verbs.contains(&verb))
    }

    fn holds(&self, verb: Verb, environment: &str, service: &str) -> bool {
        self.includes(verb) && contains(&self.environments, environment) && contains(&self.services, service)
    }
}

fn contains<T: AsRef<str>>(names: &Option<BTreeSet<T>>, name: &str) -> bool {
    names.as_ref().is_none_or(|names| names.iter().any(|known| known.as_ref() == name))
}

/// Whether two sets, of which each may be everything, have something in common.
fn meet<T: Ord>(one: &Option<BTreeSet<T>>, other: &Option<BTreeSet<T>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => !one.is_disjoint(other),
        (Some(some), None) | (None, Some(some)) => !some.is_empty(),
        (None, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names<T: std::str::FromStr<Err: std::fmt::Debug> + Ord>(names: &[&str]) -> BTreeSet<T> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn grant(role: &str, environments: Option<&[&str]>, services: Option<&[&str]>) -> Grant {
        Grant {
            role: role.parse().unwrap(),
            environments: environments.map(names),
            services: services.map(names),
        }
    }

    fn of(grants: &[Grant]) -> Permissions {
        Permissions::of(grants, &Verb::built_in_roles())
    }

    #[test]
    fn nothing_is_allowed_unless_a_role_says_so() {
        let nothing = of(&[grant("nobody-knows-it", None, None)]);
        for permissions in [Permissions::default(), of(&[]), nothing] {
            for verb in Verb::ALL {
                assert!(!permissions.allows(verb, "dev", "api"));
                assert!(!permissions.somewhere(verb) && !permissions.everywhere(verb));
            }
            assert!(permissions.roles_at("dev", "api").is_empty());
        }
    }

    #[test]
    fn a_role_holds_in_its_places_alone() {
        let both = of(&[grant("viewer", None, None), grant("developer", Some(&["dev"]), Some(&["api"]))]);
        assert!(both.allows(Verb::Deploy, "dev", "api"));
        for (environment, service) in
            [("production", "api"), ("dev", "web"), ("production", "web"), ("de", "ap")]
        {
            assert!(!both.allows(Verb::Deploy, environment, service), "{environment}/{service}");
            assert!(both.allows(Verb::Read, environment, service));
        }
        assert!(
            both.somewhere(Verb::Deploy) && !both.everywhere(Verb::Deploy) && both.everywhere(Verb::Read)
        );
        assert_eq!(both.roles_at("dev", "api"), names(&["developer", "viewer"]));
        assert_eq!(both.roles_at("dev", "web"), names(&["viewer"]));
        assert_eq!(both.roles_everywhere(), names(&["viewer"]));
    }

    #[test]
    fn environment_of_one_role_and_service_of_another_do_not_add_up() {
        let apart = of(&[
            grant("developer", Some(&["dev"]), Some(&["api"])),
            grant("developer", Some(&["production"]), Some(&["web"])),
        ]);
        assert!(!apart.allows(Verb::Deploy, "production", "api"));
        assert!(!apart.allows(Verb::Deploy, "dev", "web"));
    }

    #[test]
    fn a_scope_takes_away_and_never_adds() {
        let admin = || of(&[grant("admin", None, None)]);
        let scope =
            Scope { verbs: Some([Verb::Deploy].into()), environments: Some(names(&["dev"])), services: None };
        let cut = admin().within(scope.clone());
        assert!(cut.allows(Verb::Deploy, "dev", "api"));
        assert!(!cut.allows(Verb::Deploy, "production", "api") && !cut.allows(Verb::Read, "dev", "api"));
        assert!(!cut.everywhere(Verb::Deploy) && cut.somewhere(Verb::Deploy) && !cut.somewhere(Verb::Admin));
        assert!(cut.roles_at("dev", "api").is_empty(), "it is not for all that an admin may do");
        let viewer = of(&[grant("viewer", Some(&["production"]), None)]).within(scope);
        assert!(Verb::ALL.iter().all(|verb| !viewer.somewhere(*verb)), "nothing is in both");
        let empty = Scope { environments: Some(BTreeSet::new()), ..Scope::default() };
        assert!(Verb::ALL.iter().all(|verb| !admin().within(empty.clone()).somewhere(*verb)));
    }
}
