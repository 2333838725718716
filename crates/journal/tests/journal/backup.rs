//! Backups: complete, checked, and never over something else.

use std::fs;

use pilotage_journal::{BackupError, Journal};
use rusqlite::Connection;
use serde_json::json;

use crate::support::{assert_no_gaps, block_on, filled, note, temporary};

#[test]
fn a_backup_is_a_journal_with_the_same_events() {
    let (folder, path) = temporary();
    let events = filled(&path, 50);
    let journal = Journal::open(&path).unwrap();
    let to = folder.path().join("copy of it.db");
    let report = block_on(journal.backup(&to)).unwrap();
    assert_eq!(report.verified, journal.verify().unwrap());
    assert_eq!(report.bytes, fs::metadata(&to).unwrap().len());

    let copy = Journal::open(&to).unwrap();
    assert_eq!(copy.after(0, usize::MAX).unwrap(), events);
    let appended = block_on(copy.append(note("deployment/d1", json!({})))).unwrap();
    assert_eq!(appended[0].seq, 51);
    copy.verify().unwrap();
    assert_eq!(*journal.head().borrow(), 50, "the original is as it was");
}

#[test]
fn a_backup_is_one_moment_of_a_journal_that_is_being_written() {
    let (folder, path) = temporary();
    let journal = Journal::open(&path).unwrap();
    let writer = std::thread::spawn({
        let journal = journal.clone();
        move || {
            block_on(async {
                for n in 0..300 {
                    journal.append(note("s", json!({ "n": n, "text": "x".repeat(500) }))).await.unwrap();
                }
            });
        }
    });
    for n in 0..5 {
        let to = folder.path().join(format!("backup{n}.db"));
        let report = block_on(journal.backup(&to)).unwrap();
        let events = Journal::open_read_only(&to).unwrap().after(0, usize::MAX).unwrap();
        assert_eq!(events.len() as u64, report.verified.size);
        assert_no_gaps(&events);
    }
    writer.join().unwrap();
    assert_eq!(journal.verify().unwrap().size, 300);
}

#[test]
fn a_backup_overwrites_nothing() {
    let (folder, path) = temporary();
    filled(&path, 3);
    let journal = Journal::open(&path).unwrap();
    let to = folder.path().join("precious.txt");
    fs::write(&to, "precious").unwrap();
    let error = block_on(journal.backup(&to)).unwrap_err();
    assert!(matches!(error, BackupError::Exists { .. }), "{error}");
    assert_eq!(fs::read_to_string(&to).unwrap(), "precious");
    assert!(matches!(block_on(journal.backup(&path)).unwrap_err(), BackupError::Exists { .. }));

    let nowhere = folder.path().join("no/such/folder/backup.db");
    assert!(matches!(block_on(journal.backup(&nowhere)).unwrap_err(), BackupError::Io { .. }));
}

#[test]
fn a_journal_that_was_tampered_with_makes_no_backup() {
    let (folder, path) = temporary();
    filled(&path, 9);
    let tampering = Connection::open(&path).unwrap();
    tampering.execute_batch("UPDATE event SET actor = 'eve' WHERE seq = 5").unwrap();
    let to = folder.path().join("backup.db");
    let error = Journal::open_read_only(&path).unwrap().backup(&to).unwrap_err();
    assert!(matches!(error, BackupError::Verify(_)), "{error}");
    assert!(error.to_string().contains("entry 5"), "{error}");
    let left =
        fs::read_dir(folder.path()).unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    assert_eq!(left.filter(|name| name.starts_with("backup")).collect::<Vec<_>>(), [""; 0]);
}
