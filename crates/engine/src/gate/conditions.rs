//! What a team asks beyond what everybody asks.

use super::{ConditionDecision, Finding, Gate, GateFacts, Refusal};
use crate::Plan;

pub(super) struct ConditionsHold;

impl Gate for ConditionsHold {
    fn id(&self) -> &'static str {
        "conditions"
    }

    fn purpose(&self) -> &'static str {
        "Every condition that the policy names holds: expressions of the team's own over the plan and what is known. One that \
         cannot be evaluated does not hold. Asked where the policy has `conditions`."
    }

    fn applies(&self, plan: &Plan) -> bool {
        !plan.request.policy.conditions.is_empty()
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let mut finding = Finding::new("");
        let mut held = Vec::new();
        for name in &plan.request.policy.conditions {
            let decided = facts.conditions.iter().find(|condition| condition.name == *name);
            match decided.map(|condition| &condition.decision) {
                Some(ConditionDecision::Allow) => {
                    finding = finding.evidence(name.as_str(), "holds");
                    held.push(name.as_str());
                }
                Some(ConditionDecision::Deny(message)) => {
                    return Err(Refusal::waits(
                        format!("condition `{name}` does not hold: {message}"),
                        format!("change what it asks for; see `conditions.{name}` in pilotage.yaml"),
                    ));
                }
                Some(ConditionDecision::Error(reason)) => {
                    return Err(Refusal::unknown(
                        format!("condition `{name}` cannot be evaluated: {reason}"),
                        format!(
                            "mend `conditions.{name}` in pilotage.yaml; `pilotage policy test` tries it out"
                        ),
                    ));
                }
                None => {
                    return Err(Refusal::unknown(
                        format!("condition `{name}` is not in the file"),
                        format!("write `conditions.{name}`, or take the name out of the policy"),
                    ));
                }
            }
        }
        Ok(Finding { words: format!("holds: {}", held.join(", ")), ..finding })
    }
}
