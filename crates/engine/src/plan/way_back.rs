//! The way back, worked out from where a deployment stands.

use super::{Check, Plan, Step};
use crate::Facts;

/// The steps that undo what a plan has done so far. They always exist: they end with the stable version serving
/// everybody, or with nothing where there was nothing before.
///
/// When enough stable instances are still ready, the first step is the switch itself.
pub fn way_back(plan: &Plan, facts: &Facts) -> Vec<Step> {
    let candidate = plan.candidate().clone();
    let Some(stable) = plan.stable().cloned() else {
        return vec![Step::Route { shares: Vec::new() }, Step::Retire { version: candidate, keep: 0 }];
    };
    let replicas = plan.request.stable_replicas.max(plan.stable_capacity);
    let mut steps = Vec::new();
    if facts.ready(&stable) < plan.stable_capacity {
        steps.push(Step::Ensure { version: stable.clone(), replicas });
        steps.push(Step::Check {
            version: stable.clone(),
            check: Check::Ready { replicas: plan.stable_capacity },
        });
    }
    steps.push(Step::Route { shares: vec![(stable.clone(), 10_000)] });
    if stable != candidate {
        steps.push(Step::Retire { version: candidate, keep: 0 });
    }
    if facts.alive(&stable) < replicas {
        steps.push(Step::Ensure { version: stable.clone(), replicas });
        steps.push(Step::Check { version: stable, check: Check::Ready { replicas } });
    }
    steps
}
