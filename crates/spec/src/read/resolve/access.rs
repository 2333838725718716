//! `access`: names that must be known, and logins that must be somebody's alone.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::environments::Environments;
use super::report_unknown;
use crate::read::fault::Faults;
use crate::read::file::{AccessDraft, GrantDraft, PrincipalDraft, ServiceDraft};
use crate::read::node::{Span, Spanned};
use crate::read::shape::Named;
use crate::{
    Access, Grant, Login, Principal, PrincipalKind, PrincipalName, RoleName, ServiceName, SignInName, Verb,
    WorkloadIdentity,
};

/// Those who are in the file, with what each of them is.
type Written<'a> = BTreeMap<&'a PrincipalName, (PrincipalKind, &'a Span, &'a PrincipalDraft)>;

/// Who may do what, after everything has been checked that spans several places.
pub(super) fn resolve(
    draft: AccessDraft,
    environments: &Environments,
    services: &Named<ServiceName, ServiceDraft>,
    faults: &mut Faults,
) -> Access {
    let roles = roles(&draft.roles, faults);
    let sign_in: BTreeSet<&SignInName> = draft.sign_in.iter().map(|(name, _)| &name.value).collect();
    let written = by_name(&draft, faults);
    for (name, (_, _, principal)) in &written {
        check_person(name, principal, &written, faults);
        principal.grants.iter().for_each(|grant| check_grant(grant, &roles, environments, services, faults));
    }
    check_logins(&written, &sign_in, faults);
    check_workloads(&written, faults);
    let principals =
        written.iter().map(|(name, (kind, _, draft))| ((*name).clone(), principal(name, *kind, draft)));
    Access {
        principals: principals.collect(),
        roles,
        sign_in: draft
            .sign_in
            .iter()
            .filter_map(|(name, sign_in)| Some((name.value.clone(), sign_in.clone()?)))
            .collect(),
    }
}

/// The built-in roles and those of the file.
fn roles(written: &Named<RoleName, Vec<Verb>>, faults: &mut Faults) -> BTreeMap<RoleName, BTreeSet<Verb>> {
    let mut roles = Verb::built_in_roles();
    for (name, verbs) in written {
        let verbs = verbs.iter().flatten().copied().collect();
        if roles.insert(name.value.clone(), verbs).is_some() {
            faults.error(&name.span, format!("the role `{}` is built in", name.value)).help(
                "choose another name; what the built-in roles may do does not change from project to project",
            );
        }
    }
    roles
}

/// All principals, whatever they are.
fn by_name<'a>(draft: &'a AccessDraft, faults: &mut Faults) -> Written<'a> {
    let kinds = [
        (PrincipalKind::Person, &draft.people),
        (PrincipalKind::Machine, &draft.machines),
        (PrincipalKind::Agent, &draft.agents),
    ];
    let mut all = Written::new();
    for (kind, named) in kinds {
        for (name, principal) in named {
            let Some(principal) = principal else { continue };
            match all.entry(&name.value) {
                Entry::Vacant(free) => drop(free.insert((kind, &name.span, principal))),
                Entry::Occupied(taken) => {
                    faults
                        .error(&name.span, format!("`{}` already names a principal", name.value))
                        .related(taken.get().1, "named here")
                        .help("the log tells principals apart by their names: choose another");
                }
            }
        }
    }
    all
}

fn principal(name: &PrincipalName, kind: PrincipalKind, draft: &PrincipalDraft) -> Principal {
    let answers = draft.person.as_ref().map(|person| person.value.clone());
    let values = |grant: &GrantDraft| Grant {
        role: grant.role.clone(),
        environments: grant
            .environments
            .as_ref()
            .map(|names| names.iter().map(|name| name.value.clone()).collect()),
        services: grant.services.as_ref().map(|names| names.iter().map(|name| name.value.clone()).collect()),
    };
    Principal {
        kind,
        person: answers.or_else(|| (kind == PrincipalKind::Person).then(|| name.clone())),
        groups: draft.groups.iter().cloned().collect(),
        grants: draft.grants.iter().map(|grant| values(&grant.value)).collect(),
        logins: draft.logins.iter().map(|login| login.value.clone()).collect(),
        workload: draft.workload.clone(),
    }
}

/// Whoever stands behind somebody is a person, and stands for nobody else.
fn check_person(name: &PrincipalName, draft: &PrincipalDraft, written: &Written<'_>, faults: &mut Faults) {
    let Some(Spanned { value: person, span }) = &draft.person else { return };
    match written.get(person) {
        Some((PrincipalKind::Person, _, behind)) if person != name && behind.person.is_none() => {}
        Some((PrincipalKind::Person, ..)) => {
            faults
                .error(span, format!("`{person}` does not answer for itself here"))
                .help("name the person, not another account that has a `for` of its own");
        }
        Some((_, place, _)) => {
            faults
                .error(span, format!("`{person}` is not a person"))
                .related(place, "named here")
                .help("only a human being answers for something");
        }
        None => {
            let people = written.iter().filter(|(_, (kind, ..))| *kind == PrincipalKind::Person);
            report_unknown("person", person.as_str(), span, people.map(|(name, _)| name.as_str()), faults);
        }
    }
}

fn check_grant(
    grant: &Spanned<GrantDraft>,
    roles: &BTreeMap<RoleName, BTreeSet<Verb>>,
    environments: &Environments,
    services: &Named<ServiceName, ServiceDraft>,
    faults: &mut Faults,
) {
    let GrantDraft { role, environments: within, services: only } = &grant.value;
    if !roles.contains_key(role) {
        report_unknown("role", role.as_str(), &grant.span, roles.keys().map(RoleName::as_str), faults);
    }
    let known = || environments.iter().map(|(name, _)| name.value.as_str());
    for name in within.iter().flatten().filter(|name| !known().any(|known| known == name.value.as_str())) {
        report_unknown("environment", name.value.as_str(), &name.span, known(), faults);
    }
    let known = || services.iter().map(|(name, _)| name.value.as_str());
    for name in only.iter().flatten().filter(|name| !known().any(|known| known == name.value.as_str())) {
        report_unknown("service", name.value.as_str(), &name.span, known(), faults);
    }
}

/// A login is one principal's, and no user of the machine bears the name of somebody else: what was recorded under a
/// plain name would otherwise be ascribed to the wrong one.
fn check_logins(written: &Written<'_>, sign_in: &BTreeSet<&SignInName>, faults: &mut Faults) {
    let mut taken: BTreeMap<&Login, &Span> = BTreeMap::new();
    for (name, (_, _, draft)) in written {
        for Spanned { value: login, span } in &draft.logins {
            if let Some(first) = taken.insert(login, span) {
                faults
                    .error(span, format!("`{login}` is a login already"))
                    .related(first, "used here")
                    .help("nobody could say which of the two has acted: keep one of them");
            }
            match login {
                Login::Unix(user) if user != *name && written.contains_key(user) => {
                    faults
                        .error(span, format!("`{login}` bears the name of another principal"))
                        .help(format!("rename the principal `{user}`, or give it this login: the log would take one for the other"));
                }
                Login::Oidc { sign_in: place, .. } if !sign_in.contains(place) => {
                    let known = sign_in.iter().map(|name| name.as_str());
                    report_unknown("sign-in", place.as_str(), span, known, faults);
                }
                Login::Unix(_) | Login::Oidc { .. } => {}
            }
        }
    }
}

/// A token of a platform stands for one machine.
fn check_workloads(written: &Written<'_>, faults: &mut Faults) {
    let workloads: Vec<(&Span, &PrincipalName, &WorkloadIdentity)> = written
        .iter()
        .filter_map(|(name, (_, span, draft))| Some((*span, *name, draft.workload.as_ref()?)))
        .collect();
    for (span, name, one) in &workloads {
        let wider = workloads.iter().find(|(_, other, two)| other != name && includes(two, one));
        if let Some((place, other, _)) = wider {
            faults
                .error(span, format!("every token of `{name}` is one of `{other}` too"))
                .related(place, "the other one")
                .help("list a claim in which they differ, so that it is known which of the two has acted");
        }
    }
}

/// Whether every token that the second takes is taken by the first.
fn includes(first: &WorkloadIdentity, second: &WorkloadIdentity) -> bool {
    first.issuer == second.issuer
        && first.audience == second.audience
        && first.claims.iter().all(|(name, value)| second.claims.get(name) == Some(value))
}
