//! Collects the exit statuses of all children: the service, and whatever lost its parent and became ours to reap.

use rustix::process::{WaitOptions, WaitStatus, wait};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::ShimError;

/// Reaps all children, and remembers how one of them ended.
#[derive(Debug)]
pub struct Reaper {
    signals: Signal,
    awaited: Option<u32>,
    ended: Option<WaitStatus>,
}

impl Reaper {
    /// Begins to collect.
    pub fn new() -> Result<Self, ShimError> {
        let signals = signal(SignalKind::child()).map_err(ShimError::io("wait for children"))?;
        Ok(Self { signals, awaited: None, ended: None })
    }

    /// From now on, this child is the one of interest. To be called before anything else is awaited after its start, so
    /// that its end cannot be missed.
    pub fn expect(&mut self, pid: u32) {
        self.awaited = Some(pid);
        self.ended = None;
    }

    /// Waits until some child has ended, and reaps all that have.
    pub async fn changed(&mut self) {
        self.signals.recv().await;
        self.reap();
    }

    /// Reaps all children that have ended.
    pub fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if self.awaited == Some(pid.as_raw_nonzero().get().unsigned_abs()) {
                // The kernel may give the same id to another process from now on.
                self.awaited = None;
                self.ended = Some(status);
            }
        }
    }

    /// How the child of interest ended, if it has.
    pub fn ended(&self) -> Option<WaitStatus> {
        self.ended
    }
}
