//! Appending and reading: order, expected versions, limits, concurrency.

use pilotage_journal::{Append, AppendError, EVENTS_LIMIT, Expected, Journal, PAYLOAD_LIMIT_BYTES};
use serde_json::json;

use crate::support::{assert_no_gaps, block_on, event, note, stream, temporary};

#[test]
fn what_was_appended_is_read_back_also_after_reopening() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let payload = json!({ "z": 1, "a": [null, true, 1.5, "\u{0}\"\\\u{10ffff}"], "deep": { "er": {} } });
    let events =
        vec![event("deployment.started", payload.clone()), event("deployment.completed", json!(null))];
    let append = Append::new(stream("deployment/d1"), Expected::Version(0), "ada", events);
    let appended = block_on(journal.append(append)).unwrap();
    assert_eq!(appended.len(), 2);
    assert_eq!(appended[0].payload, payload);
    assert_eq!((appended[1].seq, appended[1].version, appended[1].actor.as_str()), (2, 2, "ada"));
    assert_ne!(appended[0].id, appended[1].id);
    assert_eq!(journal.after(0, 10).unwrap(), appended);
    drop(journal);

    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.after(0, 10).unwrap(), appended);
    assert_eq!(*journal.head().borrow(), 2);
    assert_eq!(journal.verify().unwrap().size, 2);
    assert_eq!(Journal::open_read_only(&path).unwrap().after(0, 10).unwrap(), appended);
}

#[test]
fn reading_goes_on_from_where_the_reader_is() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    block_on(async {
        for n in 1..=6 {
            journal.append(note(if n % 2 == 0 { "even" } else { "odd" }, json!(n))).await.unwrap();
        }
    });
    let numbers = |events: Vec<pilotage_journal::Event>| -> Vec<i64> {
        events.iter().map(|event| event.payload.as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(journal.after(2, 3).unwrap()), [3, 4, 5]);
    assert_eq!(numbers(journal.after(6, 3).unwrap()), [0; 0]);
    assert_eq!(numbers(journal.after(u64::MAX, usize::MAX).unwrap()), [0; 0]);
    let sum = |sum: &mut i64, event: pilotage_journal::Event| *sum += event.payload.as_i64().unwrap();
    assert_eq!(journal.fold(0, 0, sum).unwrap(), 21);
    assert_eq!(journal.fold(4, 100, sum).unwrap(), 111);
    assert_eq!(numbers(journal.stream(&stream("even"), 0).unwrap()), [2, 4, 6]);
    assert_eq!(numbers(journal.stream(&stream("even"), 2).unwrap()), [6]);
    assert_eq!(numbers(journal.stream(&stream("none"), 0).unwrap()), [0; 0]);
}

#[test]
fn streams_are_listed_by_prefix() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    block_on(async {
        for name in ["deployment/d2", "deployment/d10", "project", "deployment/d2", "deploymentx"] {
            journal.append(note(name, json!({}))).await.unwrap();
        }
    });
    let names = |prefix: &str| -> Vec<String> {
        journal.streams(prefix).unwrap().into_iter().map(String::from).collect()
    };
    assert_eq!(names("deployment/"), ["deployment/d10", "deployment/d2"]);
    assert_eq!(names(""), ["deployment/d10", "deployment/d2", "deploymentx", "project"]);
    assert_eq!(names("q"), [""; 0]);
}

#[test]
fn an_unexpected_version_is_a_conflict() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let append = |expected| Append { expected, ..note("s", json!({})) };
    block_on(async {
        let conflict = |expected, actual| AppendError::Conflict { stream: stream("s"), expected, actual };
        let error = journal.append(append(Expected::Version(1))).await.unwrap_err();
        assert_eq!(error, conflict(1, 0));
        journal.append(append(Expected::Version(0))).await.unwrap();
        let error = journal.append(append(Expected::Version(0))).await.unwrap_err();
        assert_eq!(error, conflict(0, 1));
        journal.append(append(Expected::Version(1))).await.unwrap();
    });
    assert_eq!(journal.after(0, 10).unwrap().len(), 2);
}

#[test]
fn several_streams_are_appended_together_or_not_at_all() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let at = |name, version| Append { expected: Expected::Version(version), ..note(name, json!({})) };
    block_on(async {
        let events = journal.append_all(vec![at("a", 0), at("b", 0), at("a", 1)]).await.unwrap();
        let places: Vec<_> = events.iter().map(|event| (event.stream.as_str(), event.version)).collect();
        assert_eq!(places, [("a", 1), ("b", 1), ("a", 2)]);
        let error = journal.append_all(vec![at("a", 2), at("b", 5)]).await.unwrap_err();
        assert_eq!(error, AppendError::Conflict { stream: stream("b"), expected: 5, actual: 1 });
    });
    assert_eq!(journal.after(0, 10).unwrap().len(), 3);
    journal.verify().unwrap();
}

#[test]
fn limits_are_named() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let text = |bytes: usize| json!("x".repeat(bytes - 2));
    block_on(async {
        journal.append(note("s", text(PAYLOAD_LIMIT_BYTES))).await.unwrap();
        let error = journal.append(note("s", text(PAYLOAD_LIMIT_BYTES + 1))).await.unwrap_err();
        assert!(
            matches!(error, AppendError::PayloadTooLong { bytes, .. } if bytes == PAYLOAD_LIMIT_BYTES + 1)
        );

        let events = |count| vec![event("a.b", json!({})); count];
        let append = |events| Append::new(stream("s"), Expected::Any, "ada", events);
        assert_eq!(journal.append(append(events(EVENTS_LIMIT))).await.unwrap().len(), EVENTS_LIMIT);
        let error = journal.append(append(events(EVENTS_LIMIT + 1))).await.unwrap_err();
        assert_eq!(error, AppendError::TooMany { count: EVENTS_LIMIT + 1 });
        let error = journal.append(append(vec![])).await.unwrap_err();
        assert_eq!(error, AppendError::Empty { stream: stream("s") });

        for actor in ["", "two\nlines", &"x".repeat(257)] {
            let append = Append { actor: actor.to_owned(), ..note("s", json!({})) };
            let error = journal.append(append).await.unwrap_err();
            assert!(matches!(error, AppendError::Actor(_)), "{actor:?} was accepted");
        }
    });
    assert_eq!(journal.after(0, usize::MAX).unwrap().len(), 1 + EVENTS_LIMIT);
}

#[test]
fn of_many_writers_exactly_one_wins_each_version() {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let write = |writer: usize| {
        let journal = journal.clone();
        move || {
            let (mut won, mut expected) = (0, 0);
            while won < EACH {
                let append =
                    Append { expected: Expected::Version(expected), ..note("contended", json!(writer)) };
                match block_on(journal.append(append)) {
                    Ok(_) => (won, expected) = (won + 1, expected + 1),
                    Err(AppendError::Conflict { actual, .. }) => expected = actual,
                    Err(error) => panic!("{error}"),
                }
            }
        }
    };
    let threads: Vec<_> = (0..WRITERS).map(|writer| std::thread::spawn(write(writer))).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());

    let events = journal.stream(&stream("contended"), 0).unwrap();
    assert_eq!(events.len(), WRITERS * EACH);
    assert_no_gaps(&events);
    journal.verify().unwrap();
}

#[test]
fn subscribers_see_the_head_rise_and_can_read_up_to_it() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let mut head = journal.head();
    let follower = std::thread::spawn({
        let journal = journal.clone();
        move || {
            let mut seen = Vec::new();
            while seen.len() < 100 {
                block_on(head.changed()).unwrap();
                let last = *head.borrow_and_update();
                seen.extend(journal.after(seen.len() as u64, usize::MAX).unwrap());
                assert!(seen.len() as u64 >= last, "published before it was there");
            }
            seen
        }
    });
    block_on(async {
        for n in 0..100 {
            journal.append(note("s", json!(n))).await.unwrap();
        }
    });
    assert_no_gaps(&follower.join().unwrap());
}

#[test]
fn work_that_is_queued_is_done_although_nobody_waits() {
    let (_folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    block_on(async {
        let waiting = journal.append(note("s", json!({})));
        // Polled once, so that it is queued; then dropped.
        tokio::select! {
            biased;
            _ = waiting => {}
            () = std::future::ready(()) => {}
        }
    });
    drop(journal);
    assert_eq!(Journal::open(&path).unwrap().after(0, 10).unwrap().len(), 1);
}
