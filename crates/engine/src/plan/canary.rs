//! Canary: a growing share of the clients.

use pilotage_spec::{Release, Stage};

use super::request::PlanRequest;
use super::{Step, blue_green, stages};

/// `weights` in hundredths of a percent, rising.
pub(super) fn steps(request: &PlanRequest, baseline: Option<&Release>, weights: &[u32]) -> Vec<Step> {
    let watch = request.strategy.watch;
    let stages: Vec<Stage> = weights.iter().map(|share| Stage::Share { share: *share, watch }).collect();
    let mut steps = stages::compared(request, baseline, &stages);
    steps.extend(blue_green::finish(request));
    steps
}

/// Stages that end with everything, and what follows them.
pub(super) fn staged(request: &PlanRequest, stages: &[Stage]) -> Vec<Step> {
    let mut steps = stages::steps(request, stages);
    steps.extend(blue_green::finish(request));
    steps
}
