//! The steps of a canary in Argo's words.

use std::time::Duration;

use pilotage_spec::{Stage, StrategyKind};
use serde_json::{Value, json};

use super::super::handed_over::whole_percent;
use super::super::refusal::Refusal;
use super::super::shares::ALL;
use super::rollout::pause;

const WHO: &str = "Argo Rollouts";

/// The steps of a strategy that raises shares.
pub(super) fn of(kind: &StrategyKind, watch: Duration) -> Result<Vec<Value>, Refusal> {
    let mut written = Vec::new();
    match kind {
        StrategyKind::Canary { steps } => {
            for share in steps {
                written.extend(raised(*share, watch)?);
            }
        }
        StrategyKind::Steps { stages } => {
            for stage in stages {
                written.extend(of_stage(stage)?);
            }
        }
        other => return Err(not_known(&format!("strategy `{}`", other.name()))),
    }
    Ok(written)
}

/// A share and its watch. Everything is what Argo does after the last step, without one of its own.
fn raised(share: u32, watch: Duration) -> Result<Vec<Value>, Refusal> {
    if share >= ALL {
        return Ok(Vec::new());
    }
    Ok(vec![json!({ "setWeight": whole_percent(share, WHO)? }), pause(Some(watch))])
}

fn of_stage(stage: &Stage) -> Result<Vec<Value>, Refusal> {
    match stage {
        Stage::Share { share, watch } => raised(*share, *watch),
        Stage::Hold => Ok(vec![pause(None)]),
        Stage::Cohort { .. } => Err(not_known("a stage for a cohort, without a router of its own")),
        Stage::Mirror { .. } => Err(not_known("a stage that copies requests, without a router of its own")),
        Stage::Smoke => Err(not_known("the smoke suite as a stage")),
    }
}

fn not_known(what: &str) -> Refusal {
    Refusal::new(
        format!("{what}, handed over to {WHO}"),
        "use canary, blue-green, rolling, or steps of shares and holds, or let Pilotage run the strategy itself",
    )
}
