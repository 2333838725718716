//! From what is written to a project: names are looked up, defaults that depend on other parts filled in, and rules checked
//! that span several places.

mod access;
mod conditions;
mod environments;
mod hooks;
mod policy;
mod ports;
mod routes;
mod secrets;
mod services;
mod strategies;
mod targets;
mod templates;
mod waves;

use super::ExpressionCheck;
use super::fault::Faults;
use super::file::{self, ProjectDraft};
use super::node::Span;
use crate::Project;
use crate::quote::quoted;
use crate::suggest::nearest;

/// The project, or `None` after a fault has been noted. All checks are made in either case.
pub(super) fn resolve(
    draft: ProjectDraft,
    expression: &ExpressionCheck<'_>,
    faults: &mut Faults,
) -> Option<Project> {
    let strategies = strategies::with_built_in(&draft.strategies);
    let written = draft.environments;
    services::check_needs(&draft.services, faults);
    templates::check(&draft.services, &written, faults);
    environments::check_services(&written, &draft.services, faults);
    secrets::check(&draft.services, &written, &draft.secrets, faults);
    services::check_listening(&draft.services, faults);
    ports::check(&draft.services, &written, faults);
    routes::check(&draft.services, &written, faults);
    let access = draft.access.map(|access| access::resolve(access, &written, &draft.services, faults));
    let conditions = conditions::resolve(draft.conditions, expression, faults);
    let hooks = hooks::resolve(draft.hooks, &draft.services, &written, faults);
    let aliases = environments::aliases(&written, faults);
    let clusters = targets::clusters(draft.clusters);
    let mut environments = environments::resolve(written, &draft.services, &strategies, &clusters, faults);
    let waves = waves::resolve(draft.waves, &mut environments, faults);
    Some(Project {
        name: draft.name?,
        services: services::resolve(draft.services)?,
        clusters,
        waves,
        environments,
        aliases,
        secrets: draft.secrets,
        strategies: strategies.into_iter().filter_map(|(name, strategy)| Some((name, strategy?))).collect(),
        access,
        conditions,
        tickets: draft.tickets.into_iter().filter_map(|(name, system)| Some((name.value, system?))).collect(),
        windows: draft
            .windows
            .into_iter()
            .filter_map(|(name, windows)| Some((name.value, windows?)))
            .collect(),
        hooks,
        allowed_urls: draft.allowed_urls,
        approved_scripts: file::by_name(draft.approved_scripts).collect(),
    })
}

/// Notes a name that nothing has.
fn report_unknown<'a>(
    kind: &str,
    name: &str,
    span: &Span,
    known: impl Iterator<Item = &'a str> + Clone,
    faults: &mut Faults,
) {
    let is_full = faults.is_full();
    let fault = faults.error(span, format!("unknown {kind} {}", quoted(name)));
    if is_full {
        return;
    }
    fault.help(match nearest(name, known.clone()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("known: {}", known.collect::<Vec<_>>().join(", ")),
    });
}
