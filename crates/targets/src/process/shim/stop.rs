//! Ends everything that came out of a service.

use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::reaper::Reaper;
use super::server::StopDeadline;
use crate::process::identity::ProcessStat;
use crate::process::tree::{descendants, family, signal_all};

const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// So often SIGKILL is sent to what is left: enough for a service that forks as fast as it is killed.
const KILL_ROUNDS: u32 = 500;

/// Sends SIGTERM to all of the shim's descendants, and SIGKILL to those that are left at the deadline. The shim is the
/// reaper of whatever lost its parent, so nobody gets away by forking.
///
/// `wanted` may bring the deadline forward while this waits.
pub async fn end_everything(reaper: &mut Reaper, deadline: Instant, wanted: &watch::Receiver<StopDeadline>) {
    let own = std::process::id();
    let everything = descendants(own);
    if everything.is_empty() {
        reaper.reap();
        return;
    }
    signal_all(&everything, Signal::TERM);
    loop {
        reaper.reap();
        if is_alone(own) {
            return;
        }
        let deadline = wanted.borrow().map_or(deadline, |earlier| earlier.min(deadline));
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        // A timeout is the normal case here: a grandchild's end is not signalled to the shim.
        let _ = timeout(left.min(LOOK_AGAIN), reaper.changed()).await;
    }
    for _ in 0..KILL_ROUNDS {
        let left: Vec<ProcessStat> = descendants(own);
        if left.is_empty() {
            break;
        }
        signal_all(&left, Signal::KILL);
        sleep(Duration::from_millis(5)).await;
        reaper.reap();
    }
    reaper.reap();
}

/// Whether nothing is left. The cheap look first: the thorough one reads the whole process table.
fn is_alone(own: u32) -> bool {
    family(own).is_empty() && descendants(own).is_empty()
}
