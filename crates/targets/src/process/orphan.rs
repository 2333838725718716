//! What is left of an instance whose shim has died.

use std::collections::BTreeMap;
use std::time::Duration;

use rustix::process::Signal;
use tokio::time::{Instant, sleep};

use super::identity::{ProcessIdentity, ProcessStat};
use super::shim::ShimStatus;
use super::tree::{descendants, session_members, signal_all};
use crate::InstanceState;

const LOOK_AGAIN: Duration = Duration::from_millis(20);
const KILL_ROUNDS: u32 = 500;

/// A service without a supervisor.
#[derive(Debug, Clone)]
pub struct Orphan {
    /// The shim that died. The service's processes are in its session still.
    shim: ProcessIdentity,
    /// The service's first process.
    process: Option<ProcessIdentity>,
    /// Whether it was ready, and its first process still runs.
    pub serves: bool,
}

impl Orphan {
    /// What a shim leaves that said this last.
    pub fn of(status: &ShimStatus) -> Self {
        let alive = status.process.as_ref().is_some_and(ProcessIdentity::is_alive);
        Self {
            shim: status.shim.clone(),
            process: status.process.clone(),
            serves: alive && status.state == InstanceState::Ready,
        }
    }

    /// The same, and no traffic may be sent to it any more.
    pub fn without_traffic(self) -> Self {
        Self { serves: false, ..self }
    }

    /// Waits until the service's first process has ended.
    pub async fn ended(&self) {
        while self.process.as_ref().is_some_and(ProcessIdentity::is_alive) {
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Stops all that is left: SIGTERM, and SIGKILL after `grace`.
    pub async fn stop(&self, grace: Duration) {
        let deadline = Instant::now() + grace;
        signal_all(&self.members(), Signal::TERM);
        while Instant::now() < deadline {
            if self.members().is_empty() {
                return;
            }
            sleep(LOOK_AGAIN).await;
        }
        for _ in 0..KILL_ROUNDS {
            let left = self.members();
            if left.is_empty() {
                return;
            }
            signal_all(&left, Signal::KILL);
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// All processes that are certainly the service's.
    fn members(&self) -> Vec<ProcessStat> {
        let mut found = BTreeMap::new();
        // As long as one of its members lives, the kernel gives the session's id to no other process. So if a process
        // has that id, the session is gone and the id is somebody else's.
        if ProcessStat::read(self.shim.pid).is_err() {
            found.extend(session_members(self.shim.pid).into_iter().map(|stat| (stat.pid, stat)));
        }
        if let Some(process) = self.process.as_ref().filter(|process| process.is_alive()) {
            found.extend(descendants(process.pid).into_iter().map(|stat| (stat.pid, stat)));
            found.extend(ProcessStat::read(process.pid).ok().map(|stat| (stat.pid, stat)));
        }
        found.into_values().collect()
    }
}
