//! The version that runs already, in another number: nothing is switched.

use super::request::PlanRequest;
use super::{Check, Step};
use crate::Split;

pub(super) fn steps(request: &PlanRequest) -> Vec<Step> {
    let version = request.candidate.id.version.clone();
    let replicas = request.replicas;
    vec![
        Step::Ensure { version: version.clone(), replicas },
        Step::Check { version: version.clone(), check: Check::Ready { replicas } },
        Step::Route(Split::all(&version)),
        Step::Retire { version, keep: replicas },
    ]
}
