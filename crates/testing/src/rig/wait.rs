//! Waiting for what other programs do.

use std::thread;
use std::time::{Duration, Instant};

use super::RigError;
use super::daemon::Daemon;

const PAUSE: Duration = Duration::from_millis(100);

/// Asks again and again until the answer is yes; false when the time is over.
pub(crate) fn until(time: Duration, mut answer: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + time;
    loop {
        if answer() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(PAUSE);
    }
}

/// Waits for a program of a rig to be ready; an error at once if it ends before.
pub(crate) fn ready(
    daemon: &Daemon,
    time: Duration,
    mut answer: impl FnMut() -> bool,
) -> Result<(), RigError> {
    let mut ready = false;
    until(time, || {
        ready = answer();
        ready || !daemon.runs()
    });
    if ready {
        return Ok(());
    }
    Err(RigError::NotReady { what: daemon.name.clone(), log: daemon.log_end() })
}
