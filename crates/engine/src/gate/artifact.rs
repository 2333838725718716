//! What goes to production is what has passed before.

use pilotage_spec::EnvironmentName;

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;

pub(super) struct ArtifactPassed;

impl Gate for ArtifactPassed {
    fn id(&self) -> &'static str {
        "artifact"
    }

    fn purpose(&self) -> &'static str {
        "The very same artifact, by digest, was deployed successfully to the environment before. Asked where the policy says \
         `artifact_from`, as a strict one does by default (`staging` if there is one, else any other environment)."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.artifact_from.is_some()
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let wanted = plan.request.policy.artifact_from.as_deref().unwrap_or_default();
        let candidate = &plan.request.candidate.id;
        let environment = &plan.request.workload.environment;
        if wanted.is_empty() {
            return Err(Refusal::refused(
                "there is no environment that an artifact could pass before this one",
                "add one to the file, such as `staging`; or write `artifact_from: []` in the policy",
            ));
        }
        let Some(passed) = &facts.passed else {
            return Err(Refusal::unknown(
                "it is not known where this artifact has been",
                "see the server's log, and try again",
            ));
        };
        let fits = passed.iter().find(|passed| {
            wanted.contains(&passed.environment)
                && passed.environment != *environment
                && passed.digest == candidate.digest
        });
        match fits {
            Some(passed) => Ok(Finding::new(format!(
                "{} passed `{}` at {} with this digest",
                passed.version, passed.environment, passed.at
            ))
            .evidence(passed.environment.as_str(), &passed.digest)),
            None => Err(Refusal::refused(
                format!("{} with this digest has not passed {}", candidate.version, named(wanted)),
                remedy(plan, wanted),
            )
            .evidence("digest", &candidate.digest)),
        }
    }
}

fn remedy(plan: &Plan, wanted: &[EnvironmentName]) -> String {
    let (service, version) = (&plan.request.workload.service, &plan.request.candidate.id.version);
    let first = wanted.first().map_or("ENVIRONMENT", EnvironmentName::as_str);
    format!("pilotage deploy {service} {version} --env {first}")
}

fn named(environments: &[EnvironmentName]) -> String {
    let names: Vec<String> = environments.iter().map(|name| format!("`{name}`")).collect();
    names.join(" or ")
}
