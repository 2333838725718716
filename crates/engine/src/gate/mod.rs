//! Gates decide whether a plan may start. One gate, one file: its id, its words, its check and its remedy.
//!
//! A gate is a function of the plan and what is known; whatever it cannot tell is a refusal.

mod confirmed;
mod gradual;
mod sighted;

use serde::{Deserialize, Serialize};

use crate::forecast::CurrentTraffic;
use crate::plan::{Plan, Purpose};

/// What gates may know beside the plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GateFacts {
    /// The environment's name as the person typed it, or passed it by `--confirm`.
    pub confirmation: Option<String>,
    /// The traffic as the edge sees it now.
    pub traffic: Option<CurrentTraffic>,
}

/// What a gate says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateOutcome {
    /// The plan may go on.
    Passed,
    /// It may not, and the finding says why.
    Refused,
}

/// What a gate found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateResult {
    /// The gate's id.
    pub gate: String,
    /// Its decision.
    pub outcome: GateOutcome,
    /// What it saw, in words.
    pub finding: String,
    /// What to do about a refusal.
    pub remedy: Option<String>,
}

/// A gate.
pub trait Gate: Sync {
    /// The name it is known by in messages, policies and the journal.
    fn id(&self) -> &'static str;

    /// What it is for, in a sentence or two.
    fn purpose(&self) -> &'static str;

    /// Whether the plan's environment asks for it.
    fn applies(&self, plan: &Plan) -> bool;

    /// Looks.
    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal>;
}

/// Why a gate lets a plan pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding(pub String);

/// Why a gate does not, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it saw.
    pub finding: String,
    /// What to do about it.
    pub remedy: String,
}

/// Every gate there is, in the order in which they are asked.
pub fn all() -> [&'static dyn Gate; 3] {
    [&confirmed::EnvironmentConfirmed, &gradual::GradualRollout, &sighted::Sighted]
}

/// Whether a gate that applies wants to know how much traffic there is, which takes time to count.
pub fn wants_traffic(plan: &Plan) -> bool {
    plan.request.purpose == Purpose::Deploy && sighted::Sighted.applies(plan)
}

/// Asks every gate that applies. A restoring plan is asked nothing: the way back is never gated.
pub fn check(plan: &Plan, facts: &GateFacts) -> Vec<GateResult> {
    if plan.request.purpose == Purpose::Restore {
        return Vec::new();
    }
    let applying = all().into_iter().filter(|gate| gate.applies(plan));
    applying.map(|gate| result(gate.id(), gate.check(plan, facts))).collect()
}

fn result(id: &str, checked: Result<Finding, Refusal>) -> GateResult {
    let gate = id.to_owned();
    match checked {
        Ok(Finding(finding)) => GateResult { gate, outcome: GateOutcome::Passed, finding, remedy: None },
        Err(Refusal { finding, remedy }) => {
            GateResult { gate, outcome: GateOutcome::Refused, finding, remedy: Some(remedy) }
        }
    }
}
