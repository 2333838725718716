//! A/B: an arm for the new version, a watch of as long as it takes, and the end of the trial. A winner may get everything.

use pilotage_spec::{AbTrial, Arm, Ring, Stage};

use super::request::PlanRequest;
use super::{Step, blue_green, stages};

/// All of the clients, in hundredths of a percent.
const ALL: u32 = 10_000;
/// What the new version's cohort is called.
const B: &str = "B";

pub(super) fn steps(request: &PlanRequest, trial: &AbTrial) -> Vec<Step> {
    let mut list = vec![arm(trial)];
    if trial.promotes {
        list.push(Stage::Share { share: ALL, watch: request.strategy.watch });
    }
    let mut steps = stages::steps(request, &list);
    let is_watch = |step: &Step| matches!(step, Step::Watch { .. });
    let end = steps.iter().position(is_watch).map_or(steps.len(), |watch| watch + 1);
    steps.insert(end, Step::Conclude);
    if trial.promotes {
        steps.extend(blue_green::finish(request));
    }
    steps
}

fn arm(trial: &AbTrial) -> Stage {
    let watch = trial.lasts;
    match &trial.arm {
        Arm::Share(share) => Stage::Share { share: *share, watch },
        Arm::Cohort(when) => {
            let cohort = Ring { name: B.to_owned(), when: when.clone(), share: ALL };
            Stage::Cohort { cohort, watch }
        }
    }
}
