//! Gates decide whether a plan may start. One gate, one file: its id, its words, its check and its remedy.
//!
//! A gate is a function of the plan and what is known; whatever it cannot tell is no pass.

mod approvals;
mod artifact;
mod conditions;
mod confirmed;
mod current;
mod dependencies;
mod emergency;
mod error_budget;
mod facts;
mod gradual;
mod rehearsed;
mod result;
mod scripts;
mod sighted;
mod smoke;
#[cfg(test)]
mod tests;
mod ticket;
mod wave;
mod window;

use crate::plan::{Plan, Purpose};

pub use approvals::counted as counted_approvals;
pub use facts::{
    ConditionDecision, ConditionFact, Conflict, Dependency, Earlier, EarlierState, Emergency, GateFacts,
    Passed, Planned, Rehearsal, Script, Serving, TicketFact, WindowFact,
};
pub use result::{Finding, GateOutcome, GateResult, Refusal, may_pass_later};

/// A gate.
pub trait Gate: Sync {
    /// The name it is known by in messages, policies and the journal.
    fn id(&self) -> &'static str;

    /// What it is for, in a sentence or two.
    fn purpose(&self) -> &'static str;

    /// Whether the plan's environment asks for it.
    fn applies(&self, plan: &Plan) -> bool;

    /// Looks.
    ///
    /// # Errors
    /// Says why the plan does not pass, and what to do about it.
    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal>;
}

/// Every gate there is, in the order in which they are asked: first what only the one who deploys can mend, then what others
/// have to say, and the time last.
pub fn all() -> [&'static dyn Gate; 15] {
    [
        &confirmed::EnvironmentConfirmed,
        &current::PlanCurrent,
        &gradual::GradualRollout,
        &sighted::Sighted,
        &smoke::SmokeSuite,
        &scripts::ScriptsApproved,
        &artifact::ArtifactPassed,
        &wave::WavesBefore,
        &rehearsed::RollbackRehearsed,
        &dependencies::DependenciesHealthy,
        &error_budget::ErrorBudgetLeft,
        &conditions::ConditionsHold,
        &ticket::TicketApproved,
        &approvals::Approved,
        &window::WindowOpen,
    ]
}

/// Whether a gate that applies wants to know how much traffic there is, which takes time to count.
pub fn wants_traffic(plan: &Plan) -> bool {
    plan.request.purpose != Purpose::Restore && sighted::Sighted.applies(plan)
}

/// Asks every gate that applies. A restoring plan is asked nothing: the way back is never gated.
pub fn check(plan: &Plan, facts: &GateFacts) -> Vec<GateResult> {
    if plan.request.purpose == Purpose::Restore {
        return Vec::new();
    }
    all().into_iter().filter(|gate| gate.applies(plan)).map(|gate| ask(gate, plan, facts)).collect()
}

fn ask(gate: &dyn Gate, plan: &Plan, facts: &GateFacts) -> GateResult {
    let result = GateResult::new(gate.id(), gate.check(plan, facts));
    emergency::go_past(result, plan, facts)
}
