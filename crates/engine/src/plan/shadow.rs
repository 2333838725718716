//! Shadow: copies of requests, a watch, and the end of the trial.

use pilotage_spec::{Copies, Stage};

use super::request::PlanRequest;
use super::{Step, stages};

pub(super) fn steps(request: &PlanRequest, copies: &Copies) -> Vec<Step> {
    let stage = Stage::Mirror { copies: copies.clone(), watch: request.strategy.watch };
    let mut steps = stages::steps(request, &[stage]);
    steps.push(Step::Conclude);
    steps
}
