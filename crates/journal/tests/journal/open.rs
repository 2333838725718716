//! What is opened, and what is refused without being touched.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use pilotage_journal::{Journal, OpenError};
use rusqlite::Connection;
use serde_json::json;

use crate::support::{block_on, filled, note, temporary};

/// Opens what must be refused, and asserts that the files are as they were.
fn refused(path: &Path) -> OpenError {
    let before = contents(path);
    let error = Journal::open(path).unwrap_err();
    assert_eq!(contents(path), before, "the refused file was touched: {error}");
    error
}

/// All files beside `path` with their content, but for the lock and what SQLite needs to read: it holds no data.
fn contents(path: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .filter(|(name, _)| !name.ends_with(".lock") && !name.ends_with("-shm"))
        .filter(|(name, content)| !(name.ends_with("-wal") && content.is_empty()))
        .collect();
    files.sort();
    files
}

#[test]
fn what_is_not_a_file_is_refused() {
    let (folder, _path) = temporary();
    assert!(matches!(Journal::open(folder.path()).unwrap_err(), OpenError::NotAFile { .. }));
    let nowhere = folder.path().join("no/such/folder/journal.db");
    assert!(matches!(Journal::open(&nowhere).unwrap_err(), OpenError::Io { .. }));
    let missing = folder.path().join("missing.db");
    assert!(matches!(Journal::open_read_only(&missing).unwrap_err(), OpenError::Missing { .. }));
    assert!(!missing.exists(), "reading must not make a journal");
}

#[test]
fn what_is_not_sqlite_is_refused() {
    for content in [&b""[..], b"hello", &[7; 5_000]] {
        let (_folder, path) = temporary();
        fs::write(&path, content).unwrap();
        let error = refused(&path);
        assert!(matches!(error, OpenError::NotSqlite { .. }), "{error}");
        assert!(matches!(Journal::open_read_only(&path).unwrap_err(), OpenError::NotSqlite { .. }));
    }
}

#[test]
fn a_database_of_another_program_is_refused() {
    for mode in ["DELETE", "WAL"] {
        let (_folder, path) = temporary();
        let other = Connection::open(&path).unwrap();
        other.pragma_update(None, "journal_mode", mode).unwrap();
        other.execute_batch("CREATE TABLE t (x); PRAGMA application_id = 77;").unwrap();
        drop(other);
        let error = refused(&path);
        assert!(matches!(error, OpenError::Foreign { application_id: 77, .. }), "{error}");
    }
}

#[test]
fn a_newer_journal_is_refused() {
    let (_folder, path) = temporary();
    filled(&path, 3);
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = refused(&path);
    assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error}");
    assert!(matches!(Journal::open_read_only(&path).unwrap_err(), OpenError::Newer { found: 99, .. }));
}

#[test]
fn a_truncated_journal_is_refused() {
    let (_folder, path) = temporary();
    filled(&path, 200);
    let whole = fs::read(&path).unwrap();
    for keep in [0, 100, 511, 512, 4_096, 5_000, whole.len() / 2, whole.len() - 4_096, whole.len() - 1] {
        fs::write(&path, &whole[..keep]).unwrap();
        let error = refused(&path);
        let expected = matches!(error, OpenError::NotSqlite { .. } | OpenError::Damaged { .. });
        assert!(expected, "{keep} bytes: {error}");
    }
    fs::write(&path, &whole).unwrap();
    Journal::open(&path).unwrap();
}

#[test]
fn a_journal_whose_head_does_not_match_is_refused() {
    for sql in [
        "DELETE FROM event WHERE seq = 20",
        "UPDATE event SET actor = 'eve' WHERE seq = 20",
        "UPDATE head SET size = 19",
        "UPDATE head SET edge = zeroblob(64)",
        "DELETE FROM head",
        "DROP TABLE lease",
    ] {
        let (_folder, path) = temporary();
        filled(&path, 20);
        Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        let error = refused(&path);
        assert!(matches!(error, OpenError::Damaged { .. }), "{sql}: {error}");
        Journal::open_read_only(&path).expect("it can be looked into");
    }
}

#[test]
fn a_second_writer_is_refused_with_the_first_ones_pid() {
    let (folder, path) = temporary();
    let first = Journal::open(&path).unwrap();
    let link = folder.path().join("link.db");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    for name in [&path, &link] {
        let error = Journal::open(name).unwrap_err();
        assert!(matches!(error, OpenError::InUse { pid, .. } if pid == Some(std::process::id())), "{error}");
    }
    block_on(first.append(note("s", json!({})))).unwrap();
    let reader = Journal::open_read_only(&path).expect("reading is allowed meanwhile");
    assert_eq!(reader.after(0, 10).unwrap().len(), 1);
    drop(first);
    Journal::open(&path).unwrap();
}

#[test]
fn a_log_without_its_file_is_not_taken_for_a_new_journal() {
    let (_folder, path) = temporary();
    let mut log = path.clone().into_os_string();
    log.push("-wal");
    fs::write(&log, "the only copy of the last events").unwrap();
    let error = refused(&path);
    assert!(matches!(error, OpenError::MainFileGone { .. }), "{error}");
}

#[test]
fn what_a_crash_left_while_making_the_journal_does_not_matter() {
    let (_folder, path) = temporary();
    let mut draft = path.clone().into_os_string();
    draft.push(".new");
    fs::write(&draft, "half of a journal").unwrap();
    let journal = Journal::open(&path).unwrap();
    assert_eq!(journal.verify().unwrap().size, 0);
    assert!(!Path::new(&draft).exists());
}

#[test]
fn the_journal_is_readable_by_its_owner_only() {
    let (_folder, path) = temporary();
    filled(&path, 1);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Runs `work` as a user who is not root, so that file modes count; only this thread changes its user.
fn unprivileged<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let work = move || {
        if rustix::process::geteuid().is_root() {
            rustix::thread::set_thread_uid(rustix::process::Uid::from_raw(65_534)).unwrap();
        }
        work()
    };
    std::thread::spawn(work).join().unwrap()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_journal_that_cannot_be_written_is_refused_but_can_be_read() {
    let (folder, path) = temporary();
    let events = filled(&path, 3);
    let before = fs::read(&path).unwrap();
    set_mode(&path, 0o444);
    let mut side = path.clone().into_os_string();
    side.push(".lock");
    set_mode(Path::new(&side), 0o666);
    set_mode(folder.path(), 0o777);
    let error = unprivileged({
        let path = path.clone();
        move || Journal::open(&path).unwrap_err()
    });
    assert!(matches!(error, OpenError::NotWritable { .. }), "{error}");

    set_mode(folder.path(), 0o555);
    let (read, verified) = unprivileged({
        let path = path.clone();
        move || {
            let reader = Journal::open_read_only(&path).unwrap();
            (reader.after(0, 10).unwrap(), reader.verify().unwrap())
        }
    });
    assert_eq!((read, verified.size), (events, 3));

    set_mode(&path, 0o000);
    let error = unprivileged({
        let path = path.clone();
        move || Journal::open_read_only(&path).unwrap_err()
    });
    assert!(error.to_string().to_lowercase().contains("permission denied"), "{error}");
    set_mode(folder.path(), 0o755);
    assert_eq!(fs::read(&path).unwrap(), before);
}
