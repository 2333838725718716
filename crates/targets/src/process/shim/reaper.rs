//! Collects the exit statuses of all children: the service, and whatever it left behind for us to reap.

use std::collections::BTreeMap;

use rustix::process::{WaitOptions, WaitStatus, wait};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ShimError;

/// The exit statuses of children that have ended.
#[derive(Debug)]
pub struct Reaper {
    signals: Signal,
    ended: BTreeMap<u32, WaitStatus>,
}

impl Reaper {
    /// Begins to collect.
    pub fn new() -> Result<Self, ShimError> {
        let signals = signal(SignalKind::child()).map_err(ShimError::io("wait for children"))?;
        Ok(Self { signals, ended: BTreeMap::new() })
    }

    /// Waits until some child has ended, and reaps all that have.
    pub async fn changed(&mut self) {
        self.signals.recv().await;
        self.reap();
    }

    /// Reaps all children that have ended.
    pub fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            self.ended.insert(pid.as_raw_nonzero().get().unsigned_abs(), status);
        }
    }

    /// How a child ended, if it has, and forgets it and all others that ended before.
    pub fn take(&mut self, pid: u32) -> Option<WaitStatus> {
        let status = self.ended.remove(&pid);
        if status.is_some() {
            self.ended.clear();
        }
        status
    }
}
