//! Effects on the target, each with its time limit and its failure in words.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use pilotage_engine::{Action, ActionFailure, ActionResult, Plan};
use pilotage_targets::{Address, Fence, InstanceState, TargetError};

use crate::conductor::Inner;
use crate::{smoke, traffic};

/// No effect takes longer than this beside the time that instances are given to drain and to stop.
const LIMIT: Duration = Duration::from_secs(120);

/// Does it, and says how it ended. Doing it again after a crash is the same as doing it once.
pub(crate) async fn perform(inner: &Inner, plan: &Plan, action: &Action, fence: Fence) -> ActionResult {
    let releases = [Some(&plan.request.candidate), plan.request.stable.as_ref()];
    let grace =
        releases.into_iter().flatten().map(|release| release.instance.stop_grace).max().unwrap_or_default();
    let limit = LIMIT + grace * 2;
    let result = tokio::time::timeout(limit, attempt(inner, plan, action, fence)).await;
    match result {
        Ok(Ok(())) => ActionResult::Done,
        Ok(Err(failure)) => ActionResult::Failed(failure),
        Err(_) => {
            let reason = format!("it did not end within {} s", limit.as_secs());
            ActionResult::Failed(ActionFailure { reason, transient: true })
        }
    }
}

async fn attempt(inner: &Inner, plan: &Plan, action: &Action, fence: Fence) -> Result<(), ActionFailure> {
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
            let preview = observation.traffic.as_ref().and_then(|traffic| traffic.preview.as_ref());
            if let Some(preview) = preview.filter(|preview| preview.version == *version) {
                return smoke::run(
                    &inner.folder,
                    &inner.secrets,
                    release,
                    &Address::Tcp(reachable(preview.listen)),
                )
                .await;
            }
            let ready = observation
                .instances
                .iter()
                .find(|instance| instance.release == release.id && instance.state == InstanceState::Ready);
            let address =
                ready.and_then(|instance| instance.address.clone()).ok_or_else(|| ActionFailure {
                    reason: format!("no instance of {version} is ready to be tested"),
                    transient: true,
                })?;
            smoke::run(&inner.folder, &inner.secrets, release, &address).await
        }
        Action::Route(split) if split.shares.is_empty() && plan.stable().is_none() => {
            // Nothing served before, so nothing is served again.
            target.remove(workload, fence).await.map_err(|error| failure(&error))
        }
        Action::Route(split) => {
            let traffic = traffic::traffic(inner, workload, plan.reached(split), split)
                .map_err(|error| ActionFailure { reason: error.to_string(), transient: true })?;
            target.route(workload, &traffic, fence).await.map(drop).map_err(|error| failure(&error))
        }
        Action::Retire { version, keep } => {
            target.retire(workload, version, *keep, fence).await.map_err(|error| failure(&error))
        }
    }
}

/// Whoever listens on every address of this machine is reached on its own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn permanent(reason: String) -> ActionFailure {
    ActionFailure { reason, transient: false }
}

fn failure(error: &TargetError) -> ActionFailure {
    ActionFailure {
        reason: error.to_string(),
        transient: matches!(error, TargetError::Failed { .. } | TargetError::Unreachable { .. }),
    }
}
