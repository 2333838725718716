//! The plan was made for what serves now, under the policy that holds now.

use pilotage_spec::ReleaseId;

use super::{Finding, Gate, GateFacts, Refusal, Serving};
use crate::Plan;

pub(super) struct PlanCurrent;

impl Gate for PlanCurrent {
    fn id(&self) -> &'static str {
        "plan-current"
    }

    fn purpose(&self) -> &'static str {
        "The environment's policy in the file is still the one that the plan was made under, and what serves is what it replaces. \
         What waits for an approval or a window while that changes has to be planned and approved anew. Always asked."
    }

    fn applies(&self, _plan: &Plan) -> bool {
        true
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let environment = plan.request.workload.environment.as_str();
        match &facts.policy {
            Some(policy) if *policy == plan.request.policy => serving(plan, facts),
            Some(_) => Err(Refusal::refused(
                format!("the policy of `{environment}` has changed since this was planned"),
                "deploy again: the new plan is checked under the new policy",
            )),
            None => Err(Refusal::unknown(
                format!("the present policy of `{environment}` cannot be read"),
                "mend pilotage.yaml; `pilotage check` says what is wrong with it",
            )),
        }
    }
}

fn serving(plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
    let planned = plan.request.stable.as_ref().map(|stable| &stable.id);
    let serving = match &facts.serving {
        Some(Serving::Release(release)) => Some(release),
        Some(Serving::Nothing) => None,
        None => return Err(Refusal::unknown("it is not known what serves now", "see the server's log")),
    };
    let name = |release: Option<&ReleaseId>| match release {
        Some(release) => release.version.to_string(),
        None => "nothing".to_owned(),
    };
    match planned == serving {
        true => Ok(Finding::new(format!("planned under the present policy, to replace {}", name(planned)))),
        false => Err(Refusal::refused(
            format!("it was planned to replace {}, and {} serves now", name(planned), name(serving)),
            "deploy again: the new plan begins with what serves now",
        )),
    }
}
