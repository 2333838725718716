//! The way back, worked out from where a deployment stands.

use pilotage_spec::Version;

use super::{Check, Plan, Step};
use crate::{Facts, Split};

/// The steps that undo what a plan has done so far. They always exist: they end with the stable version serving
/// everybody, or with nothing where there was nothing before.
///
/// When enough stable instances are still ready, the first step is the switch itself.
pub fn way_back(plan: &Plan, facts: &Facts) -> Vec<Step> {
    let candidate = plan.candidate().clone();
    let Some(stable) = plan.stable().cloned() else {
        return vec![Step::Route(Split::nobody()), Step::Retire { version: candidate, keep: 0 }];
    };
    if stable == candidate {
        return vec![to(&stable), Step::Retire { version: stable, keep: plan.request.stable_replicas }];
    }
    let replicas = plan.request.stable_replicas.max(plan.stable_capacity);
    let retire = Step::Retire { version: candidate, keep: 0 };
    let mut steps = Vec::new();
    if plan.takes_downtime() {
        // The two cannot run beside each other, on the way back as little as on the way forward.
        steps.extend([Step::Route(Split::nobody()), retire]);
        steps.extend(bring_up(&stable, replicas, replicas));
        steps.push(to(&stable));
        return steps;
    }
    if facts.ready(&stable) < plan.enough_to_go_back() {
        steps.extend(bring_up(&stable, replicas, plan.enough_to_go_back()));
    }
    steps.extend([to(&stable), retire]);
    steps.extend(
        plan.baseline.as_ref().map(|copy| Step::Retire { version: copy.id.version.clone(), keep: 0 }),
    );
    if facts.ready(&stable) < replicas {
        steps.extend(bring_up(&stable, replicas, replicas));
    }
    steps
}

fn to(version: &Version) -> Step {
    Step::Route(Split::all(version))
}

fn bring_up(version: &Version, replicas: u32, ready: u32) -> [Step; 2] {
    [
        Step::Ensure { version: version.clone(), replicas },
        Step::Check { version: version.clone(), check: Check::Ready { replicas: ready } },
    ]
}
