//! A new version is tried before users meet it.

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;

pub(super) struct SmokeSuite;

impl Gate for SmokeSuite {
    fn id(&self) -> &'static str {
        "smoke"
    }

    fn purpose(&self) -> &'static str {
        "The service has a smoke suite: commands that must succeed against the new version before it takes traffic. Asked where \
         the policy says `smoke: required`, as a strict one does by default."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.smoke
    }

    fn check(&self, plan: &Plan, _facts: &GateFacts) -> Result<Finding, Refusal> {
        let service = &plan.request.workload.service;
        match plan.request.candidate.instance.smoke.len() {
            0 => Err(Refusal::refused(
                format!("`{service}` has no smoke suite"),
                format!("add one to the service: services.{service}.smoke: [[\"./smoke.sh\", \"$URL\"]]"),
            )),
            1 => Ok(Finding::new("the smoke suite is one command")),
            commands => Ok(Finding::new(format!("the smoke suite is {commands} commands"))),
        }
    }
}
