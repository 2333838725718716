//! Back to a release that was good, after its successor had already taken over: no watches, it is known.

use pilotage_spec::StrategyKind;

use super::request::PlanRequest;
use super::{Check, Step};
use crate::Split;

pub(super) fn steps(request: &PlanRequest) -> Vec<Step> {
    let version = request.candidate.id.version.clone();
    let replicas = request.replicas;
    let up = [
        Step::Ensure { version: version.clone(), replicas },
        Step::Check { version: version.clone(), check: Check::Ready { replicas } },
    ];
    let to = Step::Route(Split::all(&version));
    let Some(left) = &request.stable else { return up.into_iter().chain([to]).collect() };
    let retire = Step::Retire { version: left.id.version.clone(), keep: 0 };
    match request.strategy.kind {
        StrategyKind::Recreate => {
            [Step::Route(Split::nobody()), retire].into_iter().chain(up).chain([to]).collect()
        }
        _ => up.into_iter().chain([to, retire]).collect(),
    }
}
