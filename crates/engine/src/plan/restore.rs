//! Back to a release that was good, after its successor had already taken over: no watches, it is known.

use super::request::PlanRequest;
use super::{Check, Step};

pub(super) fn steps(request: &PlanRequest) -> Vec<Step> {
    let version = request.candidate.id.version.clone();
    let replicas = request.replicas;
    let mut steps = vec![
        Step::Ensure { version: version.clone(), replicas },
        Step::Check { version: version.clone(), check: Check::Ready { replicas } },
        Step::Route { shares: vec![(version, 10_000)] },
    ];
    if let Some(left) = &request.stable {
        steps.push(Step::Retire { version: left.id.version.clone(), keep: 0 });
    }
    steps
}
