//! What a deployment runs is what somebody has looked at.

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;

pub(super) struct ScriptsApproved;

impl Gate for ScriptsApproved {
    fn id(&self) -> &'static str {
        "scripts"
    }

    fn purpose(&self) -> &'static str {
        "Every script of the project that a deployment runs is in `approved_scripts` with the digest that it has now: nobody \
         changes what runs beside production without a word in the file. Asked where the policy says `scripts: approved`, as a \
         strict one does by default."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.scripts
    }

    fn check(&self, _plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let Some(scripts) = &facts.scripts else {
            return Err(Refusal::unknown(
                "it is not known which scripts the deployment runs",
                "see the server's log, and try again",
            ));
        };
        for script in scripts {
            let name = &script.name;
            match (&script.digest, &script.approved) {
                (Ok(digest), Some(approved)) if digest == approved => {}
                (Ok(digest), approved) => {
                    let what = if approved.is_some() {
                        "has changed since it was approved"
                    } else {
                        "is not approved"
                    };
                    return Err(Refusal::refused(
                        format!("script `{name}` {what}"),
                        format!("read it, and write approved_scripts: {{ \"{name}\": \"{digest}\" }}"),
                    )
                    .evidence(name, digest));
                }
                (Err(reason), _) => {
                    return Err(Refusal::unknown(
                        format!("script `{name}` cannot be read: {reason}"),
                        "mend it, and try again",
                    ));
                }
            }
        }
        let words = match scripts.len() {
            0 => "the deployment runs no script of the project".to_owned(),
            1 => "the one script is approved".to_owned(),
            several => format!("all {several} scripts are approved"),
        };
        let approved =
            scripts.iter().filter_map(|script| Some((script.name.clone(), script.approved.as_ref()?)));
        Ok(approved.fold(Finding::new(words), |finding, (name, digest)| finding.evidence(name, digest)))
    }
}
