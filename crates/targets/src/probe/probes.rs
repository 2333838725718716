//! Asks a service whether it is ready and alive, again and again.

use std::time::Duration;

use pilotage_spec::Health;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::ask::Asked;

/// The first pause between probes of a service that is starting; it grows to the interval.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// So many probes in a row without an answer, and the service counts as failing. A wrong answer counts at once.
const SILENT_LIMIT: u32 = 3;

/// Why a probe failed, in words that follow the probe's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeFailure {
    /// For example `GET /ready answered 503`.
    pub reason: String,
    /// There was no answer in time: the service may only be busy.
    pub silent: bool,
}

/// What the probes found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The readiness probe passed, or failed for so many times in a row.
    Ready(Result<(), (ProbeFailure, u32)>),
    /// The liveness probe passed, or failed for so many times in a row.
    Live(Result<(), (ProbeFailure, u32)>),
}

impl Finding {
    /// Whether a service that was ready is to get no more traffic.
    pub fn takes_out(failure: &ProbeFailure, streak: u32) -> bool {
        !failure.silent || streak >= SILENT_LIMIT
    }
}

/// Probes until the receiver is dropped: in quick succession until the service is ready for the first time, then at the
/// interval.
pub async fn watch(asked: Asked, health: Health, findings: mpsc::Sender<Finding>) {
    let mut pause = FIRST_PAUSE.min(health.interval);
    let mut streak = 0;
    loop {
        let found = ready(&asked, &health).await;
        let passed = found.is_ok();
        let found = counted(found, &mut streak);
        if findings.send(Finding::Ready(found)).await.is_err() {
            return;
        }
        if passed {
            break;
        }
        sleep(pause).await;
        pause = (pause * 3 / 2).min(health.interval);
    }
    let (mut ready_streak, mut live_streak) = (0, 0);
    loop {
        sleep(health.interval).await;
        // Both at once, so that a probe without an answer does not delay the other.
        let (ready, live) = tokio::join!(ready(&asked, &health), live(&asked, &health));
        let ready = Finding::Ready(counted(ready, &mut ready_streak));
        let live = live.map(|found| Finding::Live(counted(found, &mut live_streak)));
        for finding in [Some(ready), live].into_iter().flatten() {
            if findings.send(finding).await.is_err() {
                return;
            }
        }
    }
}

fn counted(found: Result<(), ProbeFailure>, streak: &mut u32) -> Result<(), (ProbeFailure, u32)> {
    *streak = if found.is_ok() { 0 } else { *streak + 1 };
    found.map_err(|failure| (failure, *streak))
}

async fn ready(asked: &Asked, health: &Health) -> Result<(), ProbeFailure> {
    match &health.ready {
        Some(path) => asked.get(path, health.timeout).await,
        None => asked.connect(health.timeout).await.map(drop),
    }
}

async fn live(asked: &Asked, health: &Health) -> Option<Result<(), ProbeFailure>> {
    match &health.live {
        Some(path) => Some(asked.get(path, health.timeout).await),
        None => None,
    }
}
