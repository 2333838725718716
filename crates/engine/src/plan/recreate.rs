//! Recreate: stop the old, start the new. Requests wait at the edge meanwhile.

use super::request::PlanRequest;
use super::{Step, blue_green};
use crate::Split;

pub(super) fn steps(request: &PlanRequest) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(stable) = &request.stable {
        steps.push(Step::Route(Split::nobody()));
        steps.push(Step::Retire { version: stable.id.version.clone(), keep: 0 });
    }
    steps.extend(blue_green::bring_up(request, request.replicas, true));
    steps.push(Step::Route(Split::all(&request.candidate.id.version)));
    steps.push(blue_green::watch(request));
    steps
}
