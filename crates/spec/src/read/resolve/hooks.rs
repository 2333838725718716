//! Hooks: the services and environments that alerts are mapped to must be there.

use std::collections::BTreeMap;

use super::environments::Environments;
use super::report_unknown;
use crate::read::fault::Faults;
use crate::read::file::{Hooks, ServiceDraft};
use crate::read::node::Spanned;
use crate::read::shape::Named;
use crate::{EnvironmentName, Hook, HookName, ServiceName};

/// The hooks of the file.
pub(super) fn resolve(
    hooks: Hooks,
    services: &Named<ServiceName, ServiceDraft>,
    environments: &Environments,
    faults: &mut Faults,
) -> BTreeMap<HookName, Hook> {
    let known_services = || services.iter().map(|(name, _)| name.value.as_str());
    let known_environments = || environments.iter().map(|(name, _)| name.value.as_str());
    let mut resolved = BTreeMap::new();
    for (name, draft) in hooks {
        let Some(draft) = draft else { continue };
        let mut service = |name: Spanned<ServiceName>| {
            if !known_services().any(|known| known == name.value.as_str()) {
                report_unknown("service", name.value.as_str(), &name.span, known_services(), faults);
            }
            name.value
        };
        let services = mapped(draft.services, &mut service);
        let mut environment = |name: Spanned<EnvironmentName>| {
            if !known_environments().any(|known| known == name.value.as_str()) {
                report_unknown("environment", name.value.as_str(), &name.span, known_environments(), faults);
            }
            name.value
        };
        let hook = Hook {
            kind: draft.kind,
            secret: draft.secret,
            severities: draft.severities,
            service_label: draft.service_label,
            environment_label: draft.environment_label,
            services,
            environments: mapped(draft.environments, &mut environment),
            environment: draft.environment.map(&mut environment),
        };
        resolved.insert(name.value, hook);
    }
    resolved
}

fn mapped<T>(
    named: Named<String, Spanned<T>>,
    known: &mut impl FnMut(Spanned<T>) -> T,
) -> BTreeMap<String, T> {
    named.into_iter().filter_map(|(said, name)| Some((said.value, known(name?)))).collect()
}
