//! Random histories against a plain model: a list of what was accepted.

use std::collections::BTreeMap;

use pilotage_journal::{Append, AppendError, Expected, Journal};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{assert_no_gaps, block_on, event, stream, temporary};

#[derive(Debug, Clone)]
enum Operation {
    /// Several appends that belong together.
    Append(Vec<Part>),
    Reopen,
}

#[derive(Debug, Clone)]
struct Part {
    stream: usize,
    /// `None`: any; else how far the expected version is from the true one.
    off_by: Option<u64>,
    payloads: Vec<Value>,
}

const STREAMS: [&str; 3] = ["a", "a/b", "c"];

fn payload() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<i64>().prop_map(|number| json!(number)),
        any::<String>().prop_map(|text| json!({ "text": text })),
        prop::collection::vec(any::<bool>(), 0..5).prop_map(|list| json!(list)),
    ]
}

fn part() -> impl Strategy<Value = Part> {
    let off_by = prop_oneof![2 => Just(None), 3 => Just(Some(0)), 1 => Just(Some(1))];
    (0..STREAMS.len(), off_by, prop::collection::vec(payload(), 1..4))
        .prop_map(|(stream, off_by, payloads)| Part { stream, off_by, payloads })
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        9 => prop::collection::vec(part(), 1..4).prop_map(Operation::Append),
        1 => Just(Operation::Reopen),
    ]
}

/// What the model says of an append: the new state, or that it is refused.
fn expected_outcome(
    model: &BTreeMap<usize, Vec<Value>>,
    parts: &[Part],
) -> Option<BTreeMap<usize, Vec<Value>>> {
    let mut next = model.clone();
    for part in parts {
        if part.off_by == Some(1) {
            return None;
        }
        next.entry(part.stream).or_default().extend(part.payloads.clone());
    }
    Some(next)
}

fn to_appends(model: &BTreeMap<usize, Vec<Value>>, parts: &[Part]) -> Vec<Append> {
    let mut lengths: BTreeMap<usize, u64> =
        model.iter().map(|(stream, events)| (*stream, events.len() as u64)).collect();
    let to_append = |part: &Part| {
        let length = lengths.entry(part.stream).or_default();
        let expected = part.off_by.map_or(Expected::Any, |off_by| Expected::Version(*length + off_by));
        *length += part.payloads.len() as u64;
        let events = part.payloads.iter().map(|payload| event("a.b", payload.clone())).collect();
        Append::new(stream(STREAMS[part.stream]), expected, "ada", events)
    };
    parts.iter().map(to_append).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_holds_exactly_what_it_accepted(operations in prop::collection::vec(operation(), 1..20)) {
        let (_folder, path) = temporary();
        let mut journal = Journal::open(&path).unwrap();
        let mut model = BTreeMap::new();
        for operation in operations {
            let Operation::Append(parts) = operation else {
                drop(journal);
                journal = Journal::open(&path).unwrap();
                continue;
            };
            let outcome = block_on(journal.append_all(to_appends(&model, &parts)));
            match expected_outcome(&model, &parts) {
                Some(next) => {
                    outcome.unwrap();
                    model = next;
                }
                None => {
                    let is_conflict = matches!(outcome, Err(AppendError::Conflict { .. }));
                    prop_assert!(is_conflict, "{outcome:?}");
                }
            }
        }
        for (index, name) in STREAMS.iter().enumerate() {
            let events = journal.stream(&stream(name), 0).unwrap();
            let payloads: Vec<_> = events.into_iter().map(|event| event.payload).collect();
            prop_assert_eq!(payloads, model.remove(&index).unwrap_or_default());
        }
        assert_no_gaps(&journal.after(0, usize::MAX).unwrap());
        journal.verify().unwrap();
    }
}
