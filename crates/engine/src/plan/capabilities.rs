//! Whether a target can do what a plan needs, so that a plan that it cannot carry out is refused before anything moves.

use pilotage_spec::{Capabilities, StrategyKind, Weights};

use super::{Plan, PlanError, Step};
use crate::Split;

impl Plan {
    /// Refuses the plan if the target of its environment cannot carry it out.
    pub fn check_capabilities(&self, capabilities: &Capabilities) -> Result<(), PlanError> {
        let splits = || {
            self.steps.iter().filter_map(|step| match step {
                Step::Route(split) => Some(split),
                _ => None,
            })
        };
        let cannot = |what: &'static str, mend: &'static str| {
            let environment = self.request.workload.environment.clone();
            Err(PlanError::NotCapable {
                strategy: self.request.strategy_name.clone(),
                what,
                environment,
                mend,
            })
        };
        let rolling = matches!(self.request.strategy.kind, StrategyKind::Rolling { .. });
        if splits().any(is_shared) {
            match capabilities.weights {
                Weights::Exact => {}
                Weights::ByReplicas if rolling => {}
                Weights::ByReplicas => {
                    return cannot(
                        "shares of the traffic that do not follow the number of instances",
                        "use `rolling` or `blue-green`, or a target that shares traffic exactly (for Kubernetes, another `traffic`)",
                    );
                }
                Weights::Switch => {
                    return cannot(
                        "two versions that share the traffic",
                        "use `blue-green`, which switches at once",
                    );
                }
            }
        }
        if !capabilities.cohorts && splits().any(|split| !split.cohorts.is_empty()) {
            return cannot(
                "clients chosen by header or cookie",
                "use shares of the traffic instead of cohorts",
            );
        }
        if !capabilities.mirror && splits().any(|split| split.mirror.is_some()) {
            return cannot("copies of requests", "use another strategy than one with copies");
        }
        if !capabilities.preview && splits().any(|split| split.preview.is_some()) {
            return cannot("a version at an address of its own", "leave `preview` out of the strategy");
        }
        Ok(())
    }
}

fn is_shared(split: &Split) -> bool {
    split.shares.iter().filter(|(_, share)| *share > 0).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::testing::plan;

    const SERVICE: Capabilities = Capabilities {
        weights: Weights::ByReplicas,
        cohorts: false,
        mirror: false,
        preview: false,
        counters: false,
        holds_requests: false,
    };
    const SWITCH: Capabilities = Capabilities { weights: Weights::Switch, ..SERVICE };

    fn refusal(strategy: &str, capabilities: &Capabilities) -> Option<String> {
        plan(strategy).check_capabilities(capabilities).err().map(|error| error.to_string())
    }

    #[test]
    fn the_edge_can_do_everything() {
        for strategy in ["canary", "blue-green", "rolling", "recreate"] {
            assert_eq!(refusal(strategy, &Capabilities::EDGE), None);
        }
    }

    #[test]
    fn a_canary_needs_exact_shares() {
        assert_eq!(
            refusal("canary", &SERVICE).unwrap(),
            "strategy `canary` needs shares of the traffic that do not follow the number of instances, which the target of \
             production cannot do; use `rolling` or `blue-green`, or a target that shares traffic exactly (for Kubernetes, another \
             `traffic`)"
        );
        assert_eq!(refusal("rolling", &SERVICE), None);
        assert_eq!(refusal("blue-green", &SERVICE), None);
    }

    #[test]
    fn a_switch_is_all_that_blue_green_needs() {
        assert!(refusal("rolling", &SWITCH).is_some());
        assert_eq!(refusal("blue-green", &SWITCH), None);
        assert_eq!(refusal("canary-at-once", &SWITCH), None);
    }

    #[test]
    fn cohorts_copies_and_previews_are_looked_for_in_every_step() {
        let mut plan = plan("blue-green");
        let version: pilotage_spec::Version = "1.1.0".parse().unwrap();
        let preview = pilotage_spec::Preview { version, listen: "127.0.0.1:1".parse().unwrap() };
        plan.steps.push(Step::Route(Split { preview: Some(preview), ..Split::default() }));
        let exact = Capabilities { weights: Weights::Exact, ..SERVICE };
        assert!(plan.check_capabilities(&exact).unwrap_err().to_string().contains("address of its own"));
        assert!(plan.check_capabilities(&Capabilities::EDGE).is_ok());
    }
}
