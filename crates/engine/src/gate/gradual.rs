//! Nothing reaches production all at once without a way to switch back at once.

use pilotage_spec::StrategyKind;

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;

pub(super) struct GradualRollout;

impl Gate for GradualRollout {
    fn id(&self) -> &'static str {
        "gradual-rollout"
    }

    fn purpose(&self) -> &'static str {
        "A release meets its users step by step, or beside a version that can take over again at once: canary, rolling \
         or blue-green. A recreate, or a canary that begins at 100 %, is refused. Asked where the policy says \
         `gradual: true`, as production's does by default."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.gradual
    }

    fn check(&self, plan: &Plan, _facts: &GateFacts) -> Result<Finding, Refusal> {
        let strategy = &plan.request.strategy_name;
        if plan.stable().is_none() {
            return Ok(Finding::new("the first deployment replaces nothing"));
        }
        match &plan.request.strategy.kind {
            StrategyKind::Recreate => Err(Refusal::refused(
                format!("strategy `{strategy}` stops the old version before the new one serves"),
                "use canary, blue-green or rolling",
            )),
            StrategyKind::Canary { steps } if steps.len() < 2 => Err(Refusal::refused(
                format!("strategy `{strategy}` sends all users to the new version in its first step"),
                "give the canary at least one smaller step, for example [5, 100]",
            )),
            kind => Ok(Finding::new(format!("strategy `{strategy}` is gradual ({})", kind.name()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::testing;

    #[test]
    fn refuses_what_moves_everybody_at_once() {
        let check = |strategy| GradualRollout.check(&testing::plan(strategy), &GateFacts::default());
        assert!(check("canary").is_ok());
        assert!(check("blue-green").is_ok());
        assert!(check("rolling").is_ok());
        assert!(check("recreate").is_err());
        assert!(check("canary-at-once").is_err());
    }
}
