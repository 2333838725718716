//! A release goes to one wave of environments after the other.

use pilotage_spec::EnvironmentName;

use super::{EarlierState, Finding, Gate, GateFacts, Refusal};
use crate::Plan;

pub(super) struct WavesBefore;

impl Gate for WavesBefore {
    fn id(&self) -> &'static str {
        "wave"
    }

    fn purpose(&self) -> &'static str {
        "The very same release serves in every environment of the waves before. Asked where `waves` name the environment after \
         others; a release that was taken back in one of them goes no further."
    }

    fn applies(&self, plan: &Plan) -> bool {
        !plan.request.policy.after.is_empty()
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let version = &plan.request.candidate.id.version;
        let state = |environment: &EnvironmentName| {
            let known = facts.earlier.iter().find(|earlier| earlier.environment == *environment);
            known.map(|earlier| earlier.state)
        };
        let mut finding = Finding::new(format!("{version} serves in every wave before"));
        let mut missing = Vec::new();
        for environment in &plan.request.policy.after {
            match state(environment) {
                Some(EarlierState::Serves) => finding = finding.evidence(environment.as_str(), "serves"),
                Some(EarlierState::NotYet) => missing.push(environment),
                Some(EarlierState::TakenBack) => {
                    return Err(Refusal::refused(
                        format!("{version} was taken back in `{environment}`, or never came to serve there"),
                        format!(
                            "see `pilotage history --env {environment}`; mend it, and deploy a new version"
                        ),
                    ));
                }
                None => {
                    return Err(Refusal::unknown(
                        format!("it is not known how {version} is doing in `{environment}`"),
                        "see the server's log, and try again",
                    ));
                }
            }
        }
        match missing.first() {
            None => Ok(finding),
            Some(first) => {
                let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
                let service = &plan.request.workload.service;
                Err(Refusal::waits(
                    format!("{version} does not serve in {} yet", names.join(", ")),
                    format!(
                        "it goes on by itself once it does; pilotage deploy {service} {version} --env {first}"
                    ),
                ))
            }
        }
    }
}
