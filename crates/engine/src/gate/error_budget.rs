//! No new risk while the users have had enough.

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;
use crate::judge::Known;
use crate::plan::percent;

pub(super) struct ErrorBudgetLeft;

impl Gate for ErrorBudgetLeft {
    fn id(&self) -> &'static str {
        "error-budget"
    }

    fn purpose(&self) -> &'static str {
        "Some of the error budget is left: of the failures that the objective allows over its time, at least the share `least` has \
         not happened yet. Asked where the policy names an `error_budget`."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.error_budget.is_some()
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let unknown = |reason: &str| {
            Refusal::unknown(
                format!("the error budget cannot be told: {reason}"),
                "mend the source of `error_budget` in the policy, and try again",
            )
        };
        let budget = plan.request.policy.error_budget.as_ref().ok_or_else(|| unknown("there is none"))?;
        let failing = match &facts.failing {
            Known::Value(share) if (0.0..=1.0).contains(share) => *share,
            Known::Value(share) => return Err(unknown(&format!("{share} is not a share from 0 to 1"))),
            Known::Unknown(reason) => return Err(unknown(reason)),
            Known::NotAsked => return Err(unknown("nobody was asked")),
        };
        let allowed = f64::from(10_000_u32.saturating_sub(budget.objective)) / 10_000.0;
        let left = 1.0 - failing / allowed;
        let words = format!(
            "{:.1} % of the error budget of {} is left",
            (left * 1_000.0).floor() / 10.0,
            percent(budget.objective)
        );
        // Written so that what is not a number is no pass.
        if left >= f64::from(budget.least) / 10_000.0 {
            return Ok(Finding::new(words).evidence("failing", failing));
        }
        let remedy = format!(
            "mend what fails first, or wait until at least {} is left; a rollback needs no budget",
            percent(budget.least)
        );
        Err(Refusal::waits(words, remedy).evidence("failing", failing))
    }
}
