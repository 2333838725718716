//! What the tests share.

use std::path::{Path, PathBuf};

use pilotage_journal::{Append, Event, EventKind, Expected, Journal, LeaseName, NewEvent, StreamId};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder that goes away with the test, and the path of a journal in it.
pub fn temporary() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("journal.db");
    (folder, path)
}

pub fn stream(name: &str) -> StreamId {
    name.parse().unwrap()
}

pub fn lease(name: &str) -> LeaseName {
    name.parse().unwrap()
}

pub fn event(kind: &str, payload: Value) -> NewEvent {
    NewEvent::new(kind.parse::<EventKind>().unwrap(), payload)
}

/// One event for a stream, whatever is in there.
pub fn note(name: &str, payload: Value) -> Append {
    Append::new(stream(name), Expected::Any, "ada", vec![event("note.taken", payload)])
}

/// Runs asynchronous code to its end.
pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// A closed journal with so many events in three streams.
pub fn filled(path: &Path, count: u64) -> Vec<Event> {
    let journal = Journal::open(path).unwrap();
    block_on(async {
        for n in 1..=count {
            let name = format!("deployment/d{}", n % 3);
            journal.append(note(&name, json!({ "n": n, "text": "väl\u{1F680}" }))).await.unwrap();
        }
    });
    journal.after(0, usize::MAX).unwrap()
}

/// Asserts that the events are numbered without gaps, in the journal and in each stream.
pub fn assert_no_gaps(events: &[Event]) {
    let mut versions = std::collections::HashMap::new();
    for (event, seq) in events.iter().zip(1..) {
        assert_eq!(event.seq, seq);
        let version = versions.entry(&event.stream).or_insert(0);
        *version += 1;
        assert_eq!(event.version, *version, "entry {seq}");
    }
    assert!(events.is_sorted_by(|a, b| a.time < b.time), "time must rise");
}
