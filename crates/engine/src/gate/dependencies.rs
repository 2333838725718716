//! Nothing is built on what is down.

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;

pub(super) struct DependenciesHealthy;

impl Gate for DependenciesHealthy {
    fn id(&self) -> &'static str {
        "dependencies"
    }

    fn purpose(&self) -> &'static str {
        "Every service that this one needs serves in the same environment with all its instances ready. Asked where the policy \
         says `dependencies: healthy`, as a strict one does by default."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.dependencies
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let environment = &plan.request.workload.environment;
        let Some(dependencies) = &facts.dependencies else {
            return Err(Refusal::unknown(
                "it is not known how the services that this one needs are",
                "see `pilotage status`, and try again",
            ));
        };
        for dependency in dependencies {
            let service = &dependency.service;
            if dependency.wanted == 0 {
                return Err(Refusal::refused(
                    format!("`{service}` does not serve in `{environment}`"),
                    format!("pilotage deploy {service} VERSION --env {environment}"),
                ));
            }
            if dependency.ready < dependency.wanted {
                let troubles = match dependency.troubles.first() {
                    Some(trouble) => format!(" ({trouble})"),
                    None => String::new(),
                };
                return Err(Refusal::waits(
                    format!(
                        "{} of {} instances of `{service}` are ready{troubles}",
                        dependency.ready, dependency.wanted
                    ),
                    format!("pilotage logs {service} --env {environment}"),
                ));
            }
        }
        let names: Vec<&str> = dependencies.iter().map(|dependency| dependency.service.as_str()).collect();
        Ok(Finding::new(match names.as_slice() {
            [] => "it needs no other service".to_owned(),
            names => format!("healthy: {}", names.join(", ")),
        }))
    }
}
