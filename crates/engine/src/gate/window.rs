//! Deployments have their time.

use pilotage_spec::Timestamp;

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;

pub(super) struct WindowOpen;

impl Gate for WindowOpen {
    fn id(&self) -> &'static str {
        "window"
    }

    fn purpose(&self) -> &'static str {
        "Every window that the policy names is open, and none is frozen. Until then a deployment is held, and goes on by itself \
         when the window opens. A rollback is never held. Asked where the policy names a `window`."
    }

    fn applies(&self, plan: &Plan) -> bool {
        !plan.request.policy.windows.is_empty()
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let mut finding = Finding::new("");
        for name in &plan.request.policy.windows {
            let Some(window) = facts.windows.iter().find(|window| window.name == *name) else {
                return Err(Refusal::unknown(
                    format!("window `{name}` is not known"),
                    format!("write `windows.{name}` in pilotage.yaml, or take the name out of the policy"),
                ));
            };
            match &window.open {
                Ok(true) => finding = finding.evidence(name.as_str(), &window.why),
                Ok(false) => {
                    return Err(Refusal::waits(
                        format!("window `{name}` is closed: {}", window.why),
                        until(window.until),
                    )
                    .evidence(name.as_str(), &window.why));
                }
                Err(reason) => {
                    return Err(Refusal::unknown(
                        format!("window `{name}` cannot be told: {reason}"),
                        format!("mend `windows.{name}`; what cannot be read counts as closed"),
                    ));
                }
            }
        }
        let words: Vec<String> =
            finding.evidence.iter().map(|(name, why)| format!("`{name}`: {why}")).collect();
        Ok(Finding { words: words.join("; "), ..finding })
    }
}

fn until(opens: Option<Timestamp>) -> String {
    match opens {
        Some(at) => format!("wait: it goes on by itself when the window opens, at {at}"),
        None => "it does not open within what the calendar says; change the window, or take the release another day"
            .to_owned(),
    }
}
