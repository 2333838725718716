//! Orders to a Rollout, given as Argo's own command line gives them: patches that its controller waits for.

use pilotage_targets::TargetError;
use serde_json::{Value, json};

use super::super::kind::ROLLOUT;
use super::super::objects::{Changed, Objects};
use super::super::scene::items;
use super::read::RolloutState;
use crate::cluster::Cluster;

/// What a Rollout is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolloutOrder {
    /// On to the next step: out of the pause, or past the step that is being done.
    Promote,
    /// The new version gets everything; steps, pauses and analyses are skipped.
    PromoteFully,
    /// The stable version gets everything back.
    Abort,
    /// Begin again after an abort.
    Retry,
}

/// One patch (RFC 7386) of a Rollout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OrderPatch {
    /// Whether it is one of the status, which is a resource of its own.
    pub(super) status: bool,
    /// What is changed.
    pub(super) change: Value,
}

/// The patches of an order, given the Rollout as it is; none if it has nothing to do.
pub(super) fn patches(rollout: &Value, order: RolloutOrder) -> Vec<OrderPatch> {
    let status = |change: Value| OrderPatch { status: true, change: json!({ "status": change }) };
    match order {
        RolloutOrder::Abort => vec![status(json!({ "abort": true }))],
        RolloutOrder::Retry => vec![status(json!({ "abort": false }))],
        RolloutOrder::PromoteFully if RolloutState::of(rollout).promoted => Vec::new(),
        RolloutOrder::PromoteFully => vec![status(json!({ "promoteFull": true }))],
        RolloutOrder::Promote => promote(rollout),
    }
}

/// Ends the pause, or goes past the step: never both, or a step would be skipped.
fn promote(rollout: &Value) -> Vec<OrderPatch> {
    let state = RolloutState::of(rollout);
    let mut patches = Vec::new();
    let is_canary = rollout.pointer("/spec/strategy/canary").is_some();
    if !state.waits_for.is_empty() {
        let change = json!({ "status": { "pauseConditions": null } });
        patches.push(OrderPatch { status: true, change });
    } else if is_canary && !items(rollout, "/spec/strategy/canary/steps").is_empty() {
        let next = (state.steps.0 + 1).min(state.steps.1);
        let change = json!({ "status": { "pauseConditions": null, "currentStepIndex": next } });
        patches.push(OrderPatch { status: true, change });
    }
    if rollout.pointer("/spec/paused").and_then(Value::as_bool).unwrap_or_default() {
        patches.push(OrderPatch { status: false, change: json!({ "spec": { "paused": false } }) });
    }
    patches
}

/// Gives the order to the Rollout of this name.
pub(crate) async fn drive(
    cluster: &Cluster,
    name: &str,
    order: RolloutOrder,
) -> Result<RolloutState, TargetError> {
    let objects = Objects::need(cluster, &ROLLOUT).await?;
    let gone = || TargetError::Failed {
        doing: format!("drive Rollout {name}"),
        reason: "it is not there; deploy the service first".to_owned(),
    };
    let mut rollout = objects.get(name).await?.ok_or_else(gone)?;
    for OrderPatch { status, change } in patches(&rollout, order) {
        rollout = if status {
            objects.change_status(name, &change).await?
        } else {
            match objects.change(name, &change).await? {
                Changed::Done(rollout) => rollout,
                Changed::Stale | Changed::Missing => return Err(gone()),
            }
        };
    }
    Ok(RolloutState::of(&rollout))
}
