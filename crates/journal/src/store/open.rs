//! Opening: everything that can be wrong with a file is found before anything is written to it.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::{OpenError, StorageError};
use super::head::Head;
use super::lock::Lock;
use super::place::{self, Found};
use super::schema;
use crate::verify;

/// How long to wait while another process recovers the write-ahead log; the only time one gets in the way.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection is never shared between threads, so SQLite need not lock it for each call.
const READ_ONLY: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);
const READ_WRITE: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// A journal that is ready to be written.
pub(crate) struct OpenWriter {
    pub(crate) path: PathBuf,
    pub(crate) lock: Lock,
    pub(crate) connection: Connection,
    pub(crate) head: Head,
}

/// Opens the journal for writing, after making it if it is not there.
pub(crate) fn open_writer(path: &Path) -> Result<OpenWriter, OpenError> {
    let path = place::resolve(path)?;
    place::look(&path)?;
    place::refuse_network(&path)?;
    let lock = Lock::acquire(&path)?;
    match place::look(&path)? {
        Found::Nothing => create(&path)?,
        Found::File(bytes) => check_existing(&path, bytes)?,
    }
    let (connection, head) = connect_writer(&path)?;
    Ok(OpenWriter { path, lock, connection, head })
}

/// Finds the journal for reading. What is in it is not checked: that is what a reader is for.
pub(crate) fn open_reader(path: &Path) -> Result<PathBuf, OpenError> {
    let path = place::resolve(path)?;
    match place::look(&path)? {
        Found::Nothing if place::has_log(&path) => Err(main_file_gone(path)),
        Found::Nothing => Err(OpenError::Missing { path }),
        Found::File(bytes) => {
            check_header(&path, bytes)?;
            let found = check_version(&path, &connect_reader(&path)?)?;
            let known = schema::newest(schema::MIGRATIONS);
            if found < known {
                return Err(OpenError::Older { path, found, known });
            }
            Ok(path)
        }
    }
}

/// A connection that can only read.
pub(crate) fn connect_reader(path: &Path) -> Result<Connection, StorageError> {
    let failed = |error: &rusqlite::Error| StorageError::new("open", path, error);
    let connection = Connection::open_with_flags(path, READ_ONLY);
    let connection = connection.map_err(|error| failed(&error))?;
    match configure(&connection).and_then(|()| schema::version(&connection)) {
        Ok(_) => Ok(connection),
        // A folder that cannot be written has no room for the shared index of the log. Without a log there is no need.
        Err(error) if cannot_make_index(&error) && !place::has_log(path) => {
            let connection = connect_immutable(path).map_err(|error| failed(&error))?;
            configure(&connection).map_err(|error| failed(&error))?;
            Ok(connection)
        }
        Err(error) => Err(failed(&error)),
    }
}

fn cannot_make_index(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

/// A connection to the file alone, as if it could not change: it takes no locks and leaves nothing behind. Reading the
/// file without SQLite instead would, on closing it, give up the locks of other connections in this process.
fn connect_immutable(path: &Path) -> rusqlite::Result<Connection> {
    let uri = place::uri(path, "immutable=1");
    Connection::open_with_flags(uri, READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    Ok(())
}

fn main_file_gone(path: PathBuf) -> OpenError {
    OpenError::MainFileGone { log: place::beside(&path, "-wal"), path }
}

/// Is it a journal, and one that this version knows?
fn check_header(path: &Path, bytes: u64) -> Result<(), OpenError> {
    let not_sqlite = || OpenError::NotSqlite { path: path.to_owned(), bytes };
    // The smallest page of an SQLite database; SQLite itself takes an empty file for an empty database.
    if bytes < 512 {
        return Err(not_sqlite());
    }
    let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => not_sqlite(),
        Some(ErrorCode::CannotOpen) => unreadable(path, error),
        _ => StorageError::new("open", path, &error).into(),
    };
    let connection = connect_immutable(path).map_err(failed)?;
    let application_id = schema::application_id(&connection).map_err(failed)?;
    if application_id != schema::APPLICATION_ID {
        return Err(OpenError::Foreign { path: path.to_owned(), application_id });
    }
    check_version(path, &connection)?;
    Ok(())
}

/// SQLite does not say why it cannot open a file; the operating system does.
fn unreadable(path: &Path, error: rusqlite::Error) -> OpenError {
    let source = match rustix::fs::access(path, rustix::fs::Access::READ_OK) {
        Err(errno) => errno.into(),
        Ok(()) => std::io::Error::other(error),
    };
    OpenError::Io { action: "read", path: path.to_owned(), source }
}

fn check_version(path: &Path, connection: &Connection) -> Result<i32, OpenError> {
    let known = schema::newest(schema::MIGRATIONS);
    let found = schema::version(connection).map_err(|error| StorageError::new("read", path, &error))?;
    if found > known {
        return Err(OpenError::Newer { path: path.to_owned(), found, known });
    }
    if found < 1 {
        let reason = format!("its header names schema {found}, which there never was");
        return Err(OpenError::Damaged { path: path.to_owned(), reason });
    }
    Ok(found)
}

/// Reads through the file, through connections that cannot write.
fn check_existing(path: &Path, bytes: u64) -> Result<(), OpenError> {
    check_header(path, bytes)?;
    let connection = connect_reader(path)?;
    check_version(path, &connection)?;
    let finding = verify::check_tail(&connection).map_err(|error| StorageError::new("read", path, &error))?;
    match finding {
        None => Ok(()),
        Some(finding) => Err(OpenError::Damaged { path: path.to_owned(), reason: finding.to_string() }),
    }
}

/// Makes a new journal under another name and puts it in place when it is complete, so that no crash leaves half of one.
fn create(path: &Path) -> Result<(), OpenError> {
    if place::has_log(path) {
        return Err(main_file_gone(path.to_owned()));
    }
    let draft = place::beside(path, ".new");
    let failed = |action| {
        let path = path.to_owned();
        move |source| OpenError::Io { action, path, source }
    };
    // The lock is ours, so a draft can only be what a crash left.
    for leftover in [draft.clone(), place::beside(&draft, "-journal")] {
        match fs::remove_file(leftover) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed("create")(error));
            }
            _ => {}
        }
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft).map_err(failed("create"))?;
    fill(&draft).inspect_err(|_| drop(fs::remove_file(&draft)))?;
    fs::rename(&draft, path).map_err(failed("create"))?;
    place::flush_folder(path).map_err(failed("flush the folder of"))
}

fn fill(draft: &Path) -> Result<(), OpenError> {
    let id = u64::from_be_bytes(crate::random::bytes()?);
    let filled = || {
        let mut connection = Connection::open_with_flags(draft, READ_WRITE)?;
        connection.pragma_update(None, "synchronous", "EXTRA")?;
        schema::create(&mut connection, &format!("{id:016x}"))
    };
    filled().map_err(|error| StorageError::new("create", draft, &error).into())
}

fn connect_writer(path: &Path) -> Result<(Connection, Head), OpenError> {
    let failed = |error: rusqlite::Error| StorageError::new("open", path, &error);
    let mut connection = Connection::open_with_flags(path, READ_WRITE).map_err(failed)?;
    // SQLite opens a file that it may not write for reading, without a word.
    if connection.is_readonly("main").map_err(failed)? {
        return Err(OpenError::NotWritable { path: path.to_owned() });
    }
    configure(&connection).map_err(failed)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(failed)?;
    if mode != "wal" {
        let reason = format!("SQLite cannot keep a write-ahead log here (it offers `{mode}`)");
        return Err(StorageError::Failed { action: "open", path: path.to_owned(), reason }.into());
    }
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    schema::migrate(&mut connection, schema::MIGRATIONS).map_err(failed)?;
    match Head::load(&connection).map_err(failed)? {
        Ok(head) => Ok((connection, head)),
        Err(reason) => {
            Err(OpenError::Damaged { path: path.to_owned(), reason: format!("the head: {reason}") })
        }
    }
}
