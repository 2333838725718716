//! A group of processes that ends with whoever waits for it.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// The process group of a program, killed as a whole when this is let go of, unless the program has ended by itself.
pub struct Group(Option<Pid>);

impl Group {
    /// The group of a program that was started as its leader.
    pub fn of(child: &Child) -> Self {
        Self(child.id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)))
    }

    /// The program has ended and was waited for: its number may be another's by now.
    pub fn leave(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // None of it may be left.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
