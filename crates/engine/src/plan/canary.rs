//! Canary: a growing share of the clients.

use super::request::{PlanRequest, needed};
use super::{Step, blue_green};
use crate::Split;

/// `weights` in hundredths of a percent, rising.
pub(super) fn steps(request: &PlanRequest, weights: &[u32]) -> Vec<Step> {
    let candidate = &request.candidate.id.version;
    let mut steps = Vec::new();
    let mut up = 0;
    for &weight in weights {
        let replicas = needed(weight, request.replicas);
        if replicas > up {
            steps.extend(blue_green::bring_up(request, replicas, up == 0));
            up = replicas;
        }
        let mut shares = vec![(candidate.clone(), weight)];
        if let Some(stable) = &request.stable
            && weight < 10_000
        {
            shares.push((stable.id.version.clone(), 10_000 - weight));
        }
        steps.push(Step::Route(Split::of(shares)));
        steps.push(blue_green::watch(request));
    }
    steps.extend(blue_green::finish(request));
    steps
}
