//! The environment's name, typed by whoever deploys to it.

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;

pub(super) struct EnvironmentConfirmed;

impl Gate for EnvironmentConfirmed {
    fn id(&self) -> &'static str {
        "environment-confirmed"
    }

    fn purpose(&self) -> &'static str {
        "Whoever deploys types the environment's name, or passes it by --confirm, so that nobody deploys to production \
         by a slip of the hand. Asked where the policy says `confirm: true`, as production's does by default."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.confirm
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let environment = plan.request.workload.environment.as_str();
        match facts.confirmation.as_deref() {
            Some(typed) if typed == environment => {
                Ok(Finding::new(format!("`{environment}` was confirmed by name")))
            }
            Some(typed) => Err(Refusal::refused(
                format!("`{}` was confirmed, but the plan goes to `{environment}`", typed.escape_debug()),
                format!("if `{environment}` is meant, pass --confirm {environment}"),
            )),
            None => Err(Refusal::refused(
                format!("nobody confirmed that `{environment}` is meant"),
                format!("pass --confirm {environment}, or type the name when asked"),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::testing;

    fn check(typed: Option<&str>) -> Result<Finding, Refusal> {
        let facts = GateFacts { confirmation: typed.map(str::to_owned), ..GateFacts::default() };
        EnvironmentConfirmed.check(&testing::plan("canary"), &facts)
    }

    #[test]
    fn only_the_exact_name_confirms() {
        assert!(check(Some("production")).is_ok());
        for wrong in [None, Some(""), Some("Production"), Some("production "), Some("prod"), Some("staging")]
        {
            assert!(check(wrong).is_err(), "{wrong:?}");
        }
    }
}
