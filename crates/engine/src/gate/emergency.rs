//! Breaking the glass: going past a gate in an emergency, by those who may, and with a reason.

use pilotage_spec::{BreakGlass, Identity, PrincipalKind};

use super::{Emergency, GateFacts, GateOutcome, GateResult};
use crate::Plan;

/// What a gate says once an emergency was declared.
pub(super) fn go_past(mut result: GateResult, plan: &Plan, facts: &GateFacts) -> GateResult {
    let Some(Emergency { by, reason }) = &facts.emergency else { return result };
    if result.outcome.lets_pass() {
        return result;
    }
    let glass = &plan.request.policy.break_glass;
    if !glass.gates.iter().any(|gate| gate.id() == result.gate) {
        return result;
    }
    if !may_break(by, glass) || reason.trim().is_empty() {
        let roles: Vec<&str> = glass.roles.iter().map(|role| role.as_str()).collect();
        let who = if roles.is_empty() { "nobody".to_owned() } else { roles.join(" or ") };
        result.finding.push_str(&format!("; {by} may not go past it ({who} may, with a reason)"));
        return result;
    }
    let finding = format!("gone past in an emergency by {by}: {reason} (otherwise: {})", result.finding);
    GateResult { outcome: GateOutcome::BrokenGlass, finding, remedy: None, ..result }
}

/// Only people, and only by a role that they have where the plan goes.
fn may_break(by: &Identity, glass: &BreakGlass) -> bool {
    by.kind == PrincipalKind::Person && glass.roles.iter().any(|role| by.roles.contains(role))
}
