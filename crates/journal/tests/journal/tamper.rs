//! Somebody with the file and a database shell: whatever they change is named.

use std::path::Path;

use pilotage_journal::{Finding, Journal, VerifyError};
use proptest::prelude::*;
use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::support::{filled, temporary};

const COUNT: u64 = 20;

fn findings(path: &Path) -> Vec<Finding> {
    match Journal::open_read_only(path).unwrap().verify() {
        Ok(_) => vec![],
        Err(VerifyError::Differs { findings, .. }) => findings,
        Err(error) => panic!("{error}"),
    }
}

/// What is found after `sql` was run on an intact journal.
fn after(sql: &str) -> Vec<Finding> {
    let (_folder, path) = temporary();
    filled(&path, COUNT);
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    findings(&path)
}

fn words(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

#[test]
fn an_untouched_journal_is_verified() {
    assert_eq!(after(""), []);
}

#[test]
fn an_edited_entry_is_named() {
    for change in [
        "payload = json_set(payload, '$.n', 18)",
        "payload = payload || ' '",
        "actor = 'eve'",
        "time = time + 1",
        "kind = 'note.dropped'",
        "id = id || '0'",
        "salt = randomblob(16)",
        "leaf = randomblob(32)",
        // The same bytes, hashed one after the other, but a different payload.
        "salt = CAST(salt || '{' AS BLOB), payload = substr(payload, 2)",
    ] {
        let found = words(&after(&format!("UPDATE event SET {change} WHERE seq = 17")));
        assert!(found[0].starts_with("entry 17 (note."), "{change}: {found:?}");
        assert!(
            found[0].contains("of deployment/d2) was changed after it was written"),
            "{change}: {found:?}"
        );
    }
    let found = words(&after("UPDATE event SET stream = 'elsewhere' WHERE seq = 17"));
    assert_eq!(found[0], "entry 17 (note.taken of elsewhere) was changed after it was written");
    let found = words(&after("UPDATE event SET version = 900 WHERE seq = 17"));
    assert!(found[0].starts_with("entry 17 "), "{found:?}");
}

#[test]
fn missing_entries_are_named() {
    assert_eq!(words(&after("DELETE FROM event WHERE seq = 7")), ["entry 7 is missing"]);
    assert_eq!(words(&after("DELETE FROM event WHERE seq IN (7, 8)")), ["entries 7 and 8 are missing"]);
    assert_eq!(words(&after("DELETE FROM event WHERE seq <= 3")), ["entries 1 to 3 are missing"]);
    assert_eq!(words(&after("DELETE FROM event WHERE seq >= 18")), ["entries 18 to 20 are missing"]);
    assert_eq!(words(&after("DELETE FROM event")), ["entries 1 to 20 are missing"]);
}

#[test]
fn exchanged_entries_are_named() {
    let exchanged = after(
        "UPDATE event SET seq = 100 WHERE seq = 4;
         UPDATE event SET seq = 4 WHERE seq = 5;
         UPDATE event SET seq = 5 WHERE seq = 100;",
    );
    let changed = |finding: &Finding| match finding {
        Finding::Changed { seq, .. } => Some(*seq),
        _ => None,
    };
    assert_eq!(exchanged.iter().filter_map(changed).collect::<Vec<_>>(), [4, 5]);
}

#[test]
fn removing_an_entry_and_closing_the_gap_is_noticed() {
    let found = after(
        "DELETE FROM event WHERE seq = 10;
         UPDATE event SET seq = -seq WHERE seq > 10;
         UPDATE event SET seq = -seq - 1 WHERE seq < 0;",
    );
    assert!(matches!(found[0], Finding::Changed { seq: 10, .. }), "{found:?}");
    assert_eq!(found.last(), Some(&Finding::Missing { first: 20, last: 20 }));
}

#[test]
fn added_entries_are_named() {
    let found = words(&after(
        "INSERT INTO event SELECT 21, id, time, stream || 'x', 1, kind, actor, payload, salt, leaf
         FROM event WHERE seq = 20",
    ));
    assert!(found[0].starts_with("entry 21 (note.taken of deployment/d2x) was changed"), "{found:?}");
    assert_eq!(found[1], "entry 21 is not counted by the head: added behind its back");
    let found = words(&after(
        "INSERT INTO event SELECT -1, id, time, 'x', 1, kind, actor, payload, salt, leaf
         FROM event WHERE seq = 20",
    ));
    assert!(found[0].starts_with("entry -1 was changed"), "{found:?}");
}

#[test]
fn a_changed_head_is_named() {
    for sql in [
        "UPDATE head SET size = 21",
        "UPDATE head SET size = -1",
        "UPDATE head SET root = zeroblob(32)",
        "UPDATE head SET edge = zeroblob(64)",
        "UPDATE head SET edge = zeroblob(5)",
        "DELETE FROM head",
    ] {
        let found = after(sql);
        assert!(matches!(found[0], Finding::Head { .. }), "{sql}: {found:?}");
    }
    let found = words(&after("UPDATE head SET journal = 'another'"));
    assert!(found[0].starts_with("entry 1 "), "{found:?}");
}

#[test]
fn changed_tables_are_named() {
    for (sql, name) in [
        (
            "CREATE TRIGGER hide AFTER INSERT ON event BEGIN DELETE FROM event WHERE seq = new.seq; END",
            "hide",
        ),
        ("CREATE TABLE more (x)", "more"),
        ("ALTER TABLE event ADD COLUMN more TEXT", "event"),
        ("DROP TABLE lease", "lease"),
    ] {
        let found = after(sql);
        assert!(found.contains(&Finding::Schema { name: name.to_owned() }), "{sql}: {found:?}");
    }
}

/// The hash of an entry as the journal's format defines it, worked out independently of the journal's own code.
fn leaf(fields: &[&[u8]], salt: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0];
    let payload_digest = Sha256::digest([salt, payload].concat());
    for field in [&[&b"pilotage entry 1"[..]], fields, &[&payload_digest[..]]].concat() {
        bytes.extend((field.len() as u64).to_be_bytes());
        bytes.extend(field);
    }
    Sha256::digest(bytes).to_vec()
}

#[test]
fn a_forged_entry_with_a_matching_hash_is_found_by_the_tree() {
    let (_folder, path) = temporary();
    filled(&path, COUNT);
    let connection = Connection::open(&path).unwrap();
    let (id, time, salt, old): (String, i64, Vec<u8>, Vec<u8>) = connection
        .query_row("SELECT id, time, salt, leaf FROM event WHERE seq = 6", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .unwrap();
    let hash = |actor: &[u8]| {
        let numbers = [6u64.to_be_bytes(), time.to_be_bytes(), 2u64.to_be_bytes()];
        let fields: [&[u8]; 7] =
            [&numbers[0], id.as_bytes(), &numbers[1], b"deployment/d0", &numbers[2], b"note.taken", actor];
        leaf(&fields, &salt, "{\"n\":6,\"text\":\"väl\u{1F680}\"}".as_bytes())
    };
    assert_eq!(hash(b"ada"), old, "the format is as it is documented");
    let sql = "UPDATE event SET actor = 'eve', leaf = ?1 WHERE seq = 6";
    connection.execute(sql, params![hash(b"eve")]).unwrap();
    drop(connection);
    assert_eq!(findings(&path), [Finding::Forged { first: 1, last: 16 }]);
}

#[test]
fn many_findings_are_counted() {
    let (_folder, path) = temporary();
    filled(&path, 50);
    Connection::open(&path).unwrap().execute_batch("UPDATE event SET actor = 'eve'").unwrap();
    let error = Journal::open_read_only(&path).unwrap().verify().unwrap_err();
    let VerifyError::Differs { findings, more } = &error else { panic!("{error}") };
    assert_eq!((findings.len(), *more), (20, 30));
    assert!(error.to_string().ends_with("; and 30 more"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_changed_byte_of_any_field_is_named(
        seq in 1..=COUNT,
        column in prop::sample::select(vec!["payload", "actor", "kind", "id", "stream", "salt", "leaf"]),
        place in any::<prop::sample::Index>(),
        flip in 1u8..=255,
    ) {
        let (_folder, path) = temporary();
        filled(&path, COUNT);
        let connection = Connection::open(&path).unwrap();
        let sql = format!("SELECT CAST({column} AS BLOB), typeof({column}) FROM event WHERE seq = {seq}");
        let (mut bytes, kind): (Vec<u8>, String) =
            connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= flip;
        let sql = format!("UPDATE event SET {column} = CAST(?1 AS {kind}) WHERE seq = {seq}");
        connection.execute(&sql, params![bytes]).unwrap();
        drop(connection);
        let named = words(&findings(&path)).into_iter().any(|line| {
            line.starts_with(&format!("entry {seq} ")) && line.contains("was changed after it was written")
        });
        prop_assert!(named);
    }
}
