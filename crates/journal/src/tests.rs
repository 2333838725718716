//! Tests that need more than the public interface: a clock that steps, and a disk that fills up.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use pilotage_spec::Timestamp;
use serde_json::json;

use crate::{Append, AppendError, Event, Expected, Journal, NewEvent, StorageError};

fn temporary() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap().join("journal.db");
    (folder, path)
}

fn note(payload: serde_json::Value) -> Append {
    let event = NewEvent::new("note.taken".parse().unwrap(), payload);
    Append::new("notes".parse().unwrap(), Expected::Any, "ada", vec![event])
}

async fn recorded(journal: &Journal) -> Event {
    journal.append(note(json!({}))).await.unwrap().remove(0)
}

#[tokio::test]
async fn time_rises_although_the_clock_steps_back() {
    let (_folder, path) = temporary();
    let now = Arc::new(AtomicI64::new(1_000));
    let clock = |now: &Arc<AtomicI64>| {
        let now = Arc::clone(now);
        Box::new(move || Timestamp::from_micros(now.load(Ordering::SeqCst)))
    };
    let journal = Journal::open_with_clock(&path, clock(&now)).unwrap();
    assert_eq!(recorded(&journal).await.time.as_micros(), 1_000);
    assert_eq!(recorded(&journal).await.time.as_micros(), 1_001);
    now.store(500, Ordering::SeqCst);
    assert_eq!(recorded(&journal).await.time.as_micros(), 1_002);
    drop(journal);
    let journal = Journal::open_with_clock(&path, clock(&now)).unwrap();
    assert_eq!(recorded(&journal).await.time.as_micros(), 1_003);
    now.store(2_000, Ordering::SeqCst);
    assert_eq!(recorded(&journal).await.time.as_micros(), 2_000);
    journal.verify().unwrap();
}

/// Lets the file grow by at most so many pages from now on, as if the disk were that full.
async fn leave_room(journal: &Journal, pages: i64) {
    let work = move |batch: &mut crate::writer::Batch<'_>| {
        let used: i64 = batch.connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
        batch.connection.pragma_update(None, "max_page_count", used + pages)
    };
    journal.writer().submit(work).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_refuses_everything_until_there_is_room() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    recorded(&journal).await;
    leave_room(&journal, 3).await;
    let large = json!({ "text": "x".repeat(100_000) });
    let error = journal.append(note(large.clone())).await.unwrap_err();
    assert_eq!(error, AppendError::Storage(StorageError::DiskFull { path: path.clone() }));
    assert!(error.to_string().contains("the disk is full"), "{error}");

    assert_eq!(journal.after(0, 10).unwrap().len(), 1, "something was left behind");
    assert_eq!(*journal.head().borrow(), 1);
    assert_eq!(recorded(&journal).await.seq, 2, "a small event still fits");

    leave_room(&journal, 1_000).await;
    assert_eq!(journal.append(note(large)).await.unwrap()[0].seq, 3);
    assert_eq!(journal.verify().unwrap().size, 3);
}

/// Starts these appends while the writer is busy, so that they make one group, and gives what became of each.
async fn append_as_one_group(
    journal: &Journal,
    appends: Vec<Append>,
) -> Vec<Result<Vec<Event>, AppendError>> {
    let (busy, is_busy) = tokio::sync::oneshot::channel();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let gate = tokio::spawn({
        let journal = journal.clone();
        async move {
            let work =
                move |_: &mut crate::writer::Batch<'_>| Ok(busy.send(()).is_ok() && wait.recv().is_ok());
            journal.writer().submit(work).await
        }
    });
    is_busy.await.unwrap();
    let count = appends.len();
    let appends: Vec<_> = appends
        .into_iter()
        .map(|append| {
            let journal = journal.clone();
            tokio::spawn(async move { journal.append(append).await })
        })
        .collect();
    while journal.writer().queued() < count {
        tokio::task::yield_now().await;
    }
    go.send(()).unwrap();
    assert!(gate.await.unwrap().unwrap());
    let mut results = Vec::new();
    for append in appends {
        results.push(append.await.unwrap());
    }
    results
}

#[tokio::test]
async fn one_failed_commit_is_told_to_everyone_in_it() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    leave_room(&journal, 3).await;
    let appends = [10, 100_000, 10].map(|length| note(json!("x".repeat(length)))).to_vec();
    for result in append_as_one_group(&journal, appends).await {
        let full = StorageError::DiskFull { path: path.clone() };
        assert_eq!(result.unwrap_err(), AppendError::Storage(full));
    }
    assert_eq!(journal.after(0, 10).unwrap(), []);
    assert_eq!(journal.verify().unwrap().size, 0);
}

#[tokio::test]
async fn a_refused_append_does_not_touch_the_others_in_its_group() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let conflicting = Append { expected: Expected::Version(7), ..note(json!({})) };
    let appends = vec![note(json!({})), conflicting, note(json!({}))];
    let results = append_as_one_group(&journal, appends).await;
    assert_eq!(results[0].as_ref().unwrap()[0].version, 1);
    let stream = "notes".parse().unwrap();
    assert_eq!(results[1], Err(AppendError::Conflict { stream, expected: 7, actual: 1 }));
    assert_eq!(results[2].as_ref().unwrap()[0].version, 2);
    journal.verify().unwrap();
}

/// How many rows the writer has changed so far: one for each event, and one (the head) for each commit.
async fn changed_rows(journal: &Journal) -> u64 {
    journal.writer().submit(|batch| Ok(batch.connection.total_changes())).await.unwrap()
}

#[tokio::test]
async fn what_has_queued_up_is_committed_at_once() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let before = changed_rows(&journal).await;
    let results = append_as_one_group(&journal, vec![note(json!({})); 100]).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(changed_rows(&journal).await - before, 100 + 1);

    for _ in 0..3 {
        recorded(&journal).await;
    }
    assert_eq!(changed_rows(&journal).await - before, 100 + 1 + 3 * 2);
    assert_eq!(*journal.head().borrow(), 103);
}

#[tokio::test]
async fn what_must_not_be_recorded_is_taken_out_before_it_is_hashed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    let journal = Journal::open(&path).unwrap();
    journal.redact_by(Box::new(|text| match text.contains("hunter22") {
        true => text.replace("hunter22", "[masked]").into(),
        false => text.into(),
    }));
    let payload = serde_json::json!({
        "reason": "wrong password hunter22", "list": [{ "text": "hunter22" }], "count": 3, "clean": "text",
    });
    let event = NewEvent::new("test.happened".parse().unwrap(), payload);
    let append = Append::new("test".parse().unwrap(), Expected::Any, "someone", vec![event]);
    let recorded = journal.append(append).await.unwrap().remove(0);
    let expected = serde_json::json!({
        "reason": "wrong password [masked]", "list": [{ "text": "[masked]" }], "count": 3, "clean": "text",
    });
    assert_eq!(recorded.payload, expected);
    assert_eq!(journal.stream(&recorded.stream, 0).unwrap()[0].payload, expected);
    assert!(journal.verify().is_ok());
    drop(journal);
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(8).any(|part| part == b"hunter22"));
    }
}
