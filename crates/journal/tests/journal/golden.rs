//! Journals made by earlier versions stay readable. Each file in `tests/golden` was written by the code of its schema
//! version, and is never written again.

use std::fs;
use std::path::PathBuf;

use pilotage_journal::{Append, Event, Expected, Holder, Journal, NewEvent};
use serde_json::json;

use crate::support::{block_on, event, lease, note, stream, temporary};

/// The newest schema, which is the one that `write_the_newest` writes.
const NEWEST: u32 = 1;

fn file(schema: u32) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{schema}.db"))
}

fn appends() -> Vec<Append> {
    let events: Vec<NewEvent> = vec![
        event("deployment.started", json!({ "service": "api", "version": "1.1.0", "steps": [1, 5, 25] })),
        event("deployment.health_check", json!({ "ok": true, "note": "ünïcödé \u{1F680}" })),
        event("deployment.completed", json!({ "outcome": "success", "duration_seconds": 1.5 })),
    ];
    let deployment = Append::new(stream("deployment/d1"), Expected::Any, "ada", events);
    vec![note("project", json!({ "name": "shop" })), deployment, note("project", json!(null))]
}

fn holder() -> Holder {
    Holder { who: "ada".to_owned(), what: "d1".to_owned() }
}

fn content(events: &[Event]) -> Vec<(String, String, String, serde_json::Value)> {
    let text = |event: &Event| (event.stream.to_string(), event.kind.to_string(), event.actor.clone());
    events
        .iter()
        .map(|event| (text(event), event.payload.clone()))
        .map(|((a, b, c), d)| (a, b, c, d))
        .collect()
}

/// Run once by hand when a schema version is made, before it is released.
#[test]
#[ignore = "writes a golden file"]
fn write_the_newest() {
    let path = file(NEWEST);
    assert!(!path.exists(), "a golden file is never written again");
    let journal = Journal::open(&path).unwrap();
    block_on(async {
        for append in appends() {
            journal.append(append).await.unwrap();
        }
        journal.acquire(lease("workload/production/api"), holder()).await.unwrap();
    });
    drop(journal);
    fs::remove_file(path.with_extension("db.lock")).unwrap();
}

#[test]
fn journals_of_every_schema_open_and_go_on() {
    for schema in 1..=NEWEST {
        let (_folder, path) = temporary();
        fs::copy(file(schema), &path).unwrap();
        let journal = Journal::open(&path).unwrap();
        let events = journal.after(0, usize::MAX).unwrap();
        let wanted: Vec<_> = appends()
            .into_iter()
            .flat_map(|append| {
                let of = move |event: NewEvent| {
                    (append.stream.to_string(), event.kind.to_string(), append.actor.clone(), event.payload)
                };
                append.events.into_iter().map(of)
            })
            .collect();
        assert_eq!(content(&events), wanted, "schema {schema}");
        assert_eq!(journal.verify().unwrap().size, events.len() as u64);
        assert_eq!(journal.leases().unwrap()[0].holder, holder());

        let next = block_on(journal.append(note("project", json!({})))).unwrap();
        assert_eq!((next[0].seq, next[0].version), (events.len() as u64 + 1, 3));
        journal.verify().unwrap();
    }
}
