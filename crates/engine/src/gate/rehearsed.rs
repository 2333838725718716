//! The way back has been gone before it is needed.

use pilotage_spec::format_duration;

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;

pub(super) struct RollbackRehearsed;

impl Gate for RollbackRehearsed {
    fn id(&self) -> &'static str {
        "rehearsed"
    }

    fn purpose(&self) -> &'static str {
        "The way back from this very release, by digest, has been rehearsed in another environment: it went out there, was taken \
         back, and the time that took was recorded. Asked where the policy says `rehearsed: true`, as a strict one does by default."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.rehearsed && !plan.request.purpose.is_rehearsal()
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let request = &plan.request;
        if request.stable.is_none() {
            return Ok(Finding::new("the first deployment has nothing to go back to"));
        }
        let Some(rehearsals) = &facts.rehearsals else {
            return Err(Refusal::unknown(
                "it is not known whether the way back was rehearsed",
                "see the server's log, and try again",
            ));
        };
        let candidate = &request.candidate.id;
        let fits = rehearsals.iter().rev().find(|rehearsal| {
            rehearsal.digest == candidate.digest && rehearsal.environment != request.workload.environment
        });
        match fits {
            Some(rehearsal) => Ok(Finding::new(format!(
                "rehearsed in `{}` at {}: back in {}",
                rehearsal.environment,
                rehearsal.at,
                format_duration(rehearsal.took)
            ))
            .evidence("took_ms", rehearsal.took.as_millis())),
            None => Err(Refusal::refused(
                format!(
                    "the way back from {} with this digest was never rehearsed elsewhere",
                    candidate.version
                ),
                format!(
                    "pilotage rehearse {} {} --env ENVIRONMENT, in one that is not `{}`",
                    request.workload.service, candidate.version, request.workload.environment
                ),
            )),
        }
    }
}
