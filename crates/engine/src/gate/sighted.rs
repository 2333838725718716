//! No watch in which nothing can be seen.

use pilotage_spec::BlindWatch;

use super::{Finding, Gate, GateFacts, Refusal};
use crate::Plan;
use crate::forecast;

pub(super) struct Sighted;

impl Gate for Sighted {
    fn id(&self) -> &'static str {
        "sighted"
    }

    fn purpose(&self) -> &'static str {
        "Each watch of the plan would notice at least a release that fails every request, with the traffic that the edge sees now. \
         A watch that would not is no safeguard, and looks like one. Asked where the policy says `blind_watch: refuse`."
    }

    fn applies(&self, plan: &Plan) -> bool {
        plan.request.policy.blind_watch == BlindWatch::Refuse && plan.stable().is_some()
    }

    fn check(&self, plan: &Plan, facts: &GateFacts) -> Result<Finding, Refusal> {
        let Some(traffic) = &facts.traffic else {
            return Err(Refusal::unknown(
                "the edge cannot be asked how much traffic there is",
                "see `pilotage status`, and try again when the edge answers",
            ));
        };
        let blind = forecast::blind_steps(plan, traffic).map_err(|error| {
            Refusal::refused(error.to_string(), "switch `errors_vs_stable` on, or write `blind_watch: warn`")
        })?;
        let rate = (traffic.requests_per_second * 100.0).round() / 100.0;
        if blind.is_empty() {
            return Ok(Finding::new(format!("every watch sees something at {rate} requests a second")));
        }
        let steps: Vec<String> = blind.iter().map(|step| (step + 1).to_string()).collect();
        Err(Refusal::refused(
            format!(
                "at {rate} requests a second, not even a release that fails every request would be noticed in step {}",
                steps.join(", ")
            ),
            "give the first steps more weight or time, as `pilotage plan` proposes, or deploy when there is more traffic",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forecast::CurrentTraffic;
    use crate::judge::Counts;
    use crate::plan::testing;

    fn check(requests_per_second: Option<f64>) -> Result<Finding, Refusal> {
        let known = Counts { requests: 10_000, bad: 10 };
        let traffic =
            requests_per_second.map(|requests_per_second| CurrentTraffic { requests_per_second, known });
        Sighted.check(&testing::plan("canary"), &GateFacts { traffic, ..GateFacts::default() })
    }

    #[test]
    fn refuses_what_cannot_see_and_what_is_not_known() {
        assert!(check(Some(100.0)).is_ok());
        assert!(check(Some(0.01)).unwrap_err().finding.contains("step 5"), "{:?}", check(Some(0.01)));
        assert!(check(None).is_err());
    }

    #[test]
    fn is_asked_where_the_policy_says_so() {
        let mut plan = testing::plan("canary");
        assert!(!Sighted.applies(&plan));
        plan.request.policy.blind_watch = BlindWatch::Refuse;
        assert!(Sighted.applies(&plan));
        plan.request.stable = None;
        assert!(!Sighted.applies(&plan));
    }
}
