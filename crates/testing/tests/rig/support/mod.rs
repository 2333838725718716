//! What the tests of the rigs have in common.

mod container;
mod namespace;

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

pub use container::Container;
pub use namespace::Namespace;

/// Only a guard against waiting for ever.
const HANG: Duration = Duration::from_secs(100);

/// Waits until it is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + HANG;
    while !is_so() {
        assert!(Instant::now() < end, "not in time: {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// What a command writes to standard output; it has to succeed.
pub fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
