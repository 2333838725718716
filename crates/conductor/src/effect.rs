//! Effects on the target, each with its time limit and its failure in words.

use std::time::Duration;

use pilotage_engine::{Action, ActionFailure, ActionResult, Direction, Plan, Shares};
use pilotage_targets::{Fence, InstanceState, TargetError, Traffic};

use crate::conductor::Inner;
use crate::smoke;

/// No effect takes longer than this; instances that ignore SIGTERM are killed long before.
const LIMIT: Duration = Duration::from_secs(300);
/// How long a request waits at the edge while no instance can take it.
pub(crate) const HOLD: Duration = Duration::from_secs(30);

/// Does it, and says how it ended. Doing it again after a crash is the same as doing it once.
pub(crate) async fn perform(
    inner: &Inner,
    plan: &Plan,
    direction: Direction,
    action: &Action,
    fence: Fence,
) -> ActionResult {
    let result = tokio::time::timeout(LIMIT, attempt(inner, plan, direction, action, fence)).await;
    match result {
        Ok(Ok(())) => ActionResult::Done,
        Ok(Err(failure)) => ActionResult::Failed(failure),
        Err(_) => {
            let reason = format!("it did not end within {} s", LIMIT.as_secs());
            ActionResult::Failed(ActionFailure { reason, transient: true })
        }
    }
}

async fn attempt(
    inner: &Inner,
    plan: &Plan,
    direction: Direction,
    action: &Action,
    fence: Fence,
) -> Result<(), ActionFailure> {
    let (target, workload) = (&inner.target, &plan.request.workload);
    match action {
        Action::Ensure { version, replicas } => {
            let release =
                plan.release(version).ok_or_else(|| permanent(format!("{version} is not in the plan")))?;
            target.ensure(workload, release, *replicas, fence).await.map_err(|error| failure(&error))
        }
        Action::Smoke { version } => {
            let release =
                plan.release(version).ok_or_else(|| permanent(format!("{version} is not in the plan")))?;
            let observation = target.observe(workload).await.map_err(|error| failure(&error))?;
            let ready = observation
                .instances
                .iter()
                .find(|instance| instance.release == release.id && instance.state == InstanceState::Ready);
            let address = ready.and_then(|instance| instance.address).ok_or_else(|| ActionFailure {
                reason: format!("no instance of {version} is ready to be tested"),
                transient: true,
            })?;
            smoke::run(&inner.folder, release, address).await
        }
        Action::Route { shares } if shares.is_empty() && direction == Direction::Back => {
            // Nothing served before, so nothing is served again.
            target.remove(workload, fence).await.map_err(|error| failure(&error))
        }
        Action::Route { shares } => {
            let traffic = traffic(plan, shares);
            target.route(workload, &traffic, fence).await.map(drop).map_err(|error| failure(&error))
        }
        Action::Retire { version, keep } => {
            target.retire(workload, version, *keep, fence).await.map_err(|error| failure(&error))
        }
    }
}

fn traffic(plan: &Plan, shares: &Shares) -> Traffic {
    let hold_ms = HOLD.as_millis().try_into().unwrap_or(u64::MAX);
    Traffic { listen: plan.request.listen, shares: shares.clone(), hold_ms }
}

fn permanent(reason: String) -> ActionFailure {
    ActionFailure { reason, transient: false }
}

fn failure(error: &TargetError) -> ActionFailure {
    ActionFailure { reason: error.to_string(), transient: matches!(error, TargetError::Failed { .. }) }
}
