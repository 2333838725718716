//! Policies: the defaults of a level, and of the environment's name.

use super::report_unknown;
use crate::read::fault::Faults;
use crate::read::file::PolicyDraft;
use crate::read::node::Spanned;
use crate::{Approvals, EnvironmentName, Inconclusive, Policy, PolicyLevel, TicketFrom};

/// The name that brings the strict defaults.
pub(super) const PRODUCTION: &str = "production";
/// The name that brings one approval, and the environment that production's artifacts pass by default.
const STAGING: &str = "staging";
/// How many people must approve where the level is strict.
const STRICT_APPROVALS: u32 = 2;

/// The policy in its final form. `names` are those of all environments.
pub(super) fn resolve(
    name: &Spanned<EnvironmentName>,
    draft: PolicyDraft,
    names: &[EnvironmentName],
    faults: &mut Faults,
) -> Policy {
    let level = draft.level.unwrap_or(match name.value.as_str() {
        PRODUCTION => PolicyLevel::Strict,
        STAGING => PolicyLevel::Reviewed,
        _ => PolicyLevel::Open,
    });
    let strict = level == PolicyLevel::Strict;
    let artifact_from = match draft.artifact_from {
        Some(written) => known(&name.value, written, names, faults),
        None => strict.then(|| usual_origin(&name.value, names)),
    };
    Policy {
        confirm: draft.confirm.unwrap_or(strict),
        gradual: draft.gradual.unwrap_or(strict),
        inconclusive: draft.inconclusive.unwrap_or(match strict {
            true => Inconclusive::Raise,
            false => Inconclusive::GoOn,
        }),
        blind_watch: draft.blind_watch,
        approvals: draft.approvals.or_else(|| usual_approvals(level)).filter(|approvals| approvals.count > 0),
        ticket: draft.ticket.unwrap_or_else(|| strict.then_some(TicketFrom::Any)),
        smoke: draft.smoke.unwrap_or(strict),
        rehearsed: draft.rehearsed.unwrap_or(strict),
        // What the waves say is filled in once they are known.
        after: Vec::new(),
        artifact_from,
        dependencies: draft.dependencies.unwrap_or(strict),
        error_budget: draft.error_budget,
        windows: draft.windows.into_iter().map(|window| window.value).collect(),
        conditions: draft.conditions.into_iter().map(|condition| condition.value).collect(),
        scripts: draft.scripts.unwrap_or(strict),
        break_glass: draft.break_glass,
    }
}

fn usual_approvals(level: PolicyLevel) -> Option<Approvals> {
    match level {
        PolicyLevel::Strict => Some(Approvals::of(STRICT_APPROVALS)),
        PolicyLevel::Reviewed => Some(Approvals::of(1)),
        PolicyLevel::Open => None,
    }
}

/// `staging`, or without one any other environment.
fn usual_origin(own: &EnvironmentName, names: &[EnvironmentName]) -> Vec<EnvironmentName> {
    let others = || names.iter().filter(|name| *name != own);
    match others().find(|name| name.as_str() == STAGING) {
        Some(staging) => vec![staging.clone()],
        None => others().cloned().collect(),
    }
}

/// The environments that are written, if any are; each must be another one of the file.
fn known(
    own: &EnvironmentName,
    written: Vec<Spanned<EnvironmentName>>,
    names: &[EnvironmentName],
    faults: &mut Faults,
) -> Option<Vec<EnvironmentName>> {
    for name in &written {
        if name.value == *own {
            faults
                .error(&name.span, "an environment cannot be passed before itself")
                .help("name the environment that comes before it");
        } else if !names.contains(&name.value) {
            let others = names.iter().filter(|name| *name != own).map(EnvironmentName::as_str);
            report_unknown("environment", name.value.as_str(), &name.span, others, faults);
        }
    }
    let names: Vec<EnvironmentName> = written.into_iter().map(|name| name.value).collect();
    (!names.is_empty()).then_some(names)
}
