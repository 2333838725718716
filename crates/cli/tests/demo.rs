//! The demo proves what it says, and leaves nothing behind.
#![allow(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod world;

use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use world::{PILOTAGE, wait};

/// A demo whose folder lies in one of ours.
fn demo(folder: &tempfile::TempDir) -> Command {
    let mut command = Command::new(PILOTAGE);
    command.args(["demo", "--output", "json"]).env("TMPDIR", folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn folder() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("pd-").tempdir().unwrap()
}

/// The processes whose arguments or folder name one of ours.
fn processes_of(folder: &tempfile::TempDir) -> BTreeSet<String> {
    let name = folder.path().to_str().unwrap();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let words = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let at = std::fs::read_link(entry.path().join("cwd")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        if words.contains(name) || at.starts_with(name) {
            found.insert(words);
        }
    }
    found
}

#[test]
fn the_demo_drops_nothing_and_proves_it() {
    let folder = folder();
    let said = wait(demo(&folder).spawn().unwrap()).expect(0);
    let last = said.stdout.lines().last().unwrap();
    let summary: serde_json::Value = serde_json::from_str(last).unwrap();
    assert_eq!(summary["dropped"], 0, "{last}");
    assert_eq!(summary["audit_verified"], true, "{last}");
    assert!(summary["requests"].as_u64().unwrap() > 1_000, "{last}");
    assert!(summary["failed_by_service"].as_u64().unwrap() > 0, "{last}");
    assert!(summary["switch_ms"].is_number() && summary["rollback_ms"].is_number(), "{last}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a folder was left behind");
    assert_eq!(processes_of(&folder), BTreeSet::new());
}

#[test]
fn a_demo_that_is_interrupted_cleans_up() {
    let folder = folder();
    let child = demo(&folder).spawn().unwrap();
    let begun = Instant::now();
    // Wait until services run: the demo itself, server, edge, shims and instances.
    while processes_of(&folder).len() < 3 && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let said = wait(child).expect(1);
    assert!(said.stderr.contains("interrupted"), "{}", said.stderr);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a folder was left behind");
    assert_eq!(processes_of(&folder), BTreeSet::new());
}
