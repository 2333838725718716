//! How opening and using the file can fail.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use thiserror::Error;

/// Why a journal could not be opened. The file is left as it was.
#[derive(Debug, Error)]
pub enum OpenError {
    /// There is no file, and it was to be read only.
    #[error("there is no journal at {}", .path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A directory, device or the like.
    #[error("{} is not a regular file: give the path of a journal", .path.display())]
    NotAFile {
        /// What was given.
        path: PathBuf,
    },
    /// Not a database at all.
    #[error("{} is not a journal: it is not an SQLite database ({bytes} bytes)", .path.display())]
    NotSqlite {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
    },
    /// A database of another program.
    #[error(
        "{} is an SQLite database of another program (application id {application_id:#010x}): give another path",
        .path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The application id in its header.
        application_id: i32,
    },
    /// Written by a later version of Pilotage.
    #[error(
        "{} was written by a newer Pilotage (schema {found}, this one knows up to {known}): use that version",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The newest schema version that is known here.
        known: i32,
    },
    /// Written by an earlier version of Pilotage, and it was to be read only.
    #[error(
        "{} was written by an older Pilotage (schema {found}, this one reads {known}): \
         start the server once, which brings it up to date",
        .path.display()
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: i32,
        /// The schema version that is read here.
        known: i32,
    },
    /// The content is not what was written.
    #[error(
        "{} is damaged: {reason}. Keep it as evidence, see `pilotage audit verify`, and restore a backup",
        .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The write-ahead log is there, but the file that it belongs to is not.
    #[error(
        "{} is gone but its write-ahead log {} is still there: restore both, or move the log away to start anew",
        .path.display(), .log.display()
    )]
    MainFileGone {
        /// The file.
        path: PathBuf,
        /// The log.
        log: PathBuf,
    },
    /// Another process writes to it.
    #[error("{} is in use by {}: stop it first, or talk to it", .path.display(), owner(.pid))]
    InUse {
        /// The file.
        path: PathBuf,
        /// The process that holds it, if it has said so.
        pid: Option<u32>,
    },
    /// It may only be read.
    #[error("{} cannot be written: check the owner and mode of it and its folder", .path.display())]
    NotWritable {
        /// The file.
        path: PathBuf,
    },
    /// It lies on a network file system, whose locks and flushes cannot be relied upon.
    #[error("{} is on a network file system ({kind}): put the journal on a local disk", .path.display())]
    NetworkFilesystem {
        /// The file.
        path: PathBuf,
        /// Which one.
        kind: &'static str,
    },
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The database refused something.
    #[error(transparent)]
    Storage(StorageError),
}

impl From<StorageError> for OpenError {
    /// Damage is damage, whichever check came upon it.
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Damaged { path, reason } => Self::Damaged { path, reason },
            other => Self::Storage(other),
        }
    }
}

fn owner(pid: &Option<u32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}

/// Why the store could not do its work. A write that failed has left nothing behind; the journal stays usable.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StorageError {
    /// No room is left.
    #[error(
        "the disk is full: nothing was recorded in {}. Free some space and try again",
        .path.display()
    )]
    DiskFull {
        /// The file.
        path: PathBuf,
    },
    /// The file's content makes no sense.
    #[error("{} is damaged: {reason}. See `pilotage audit verify`", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// Anything else that SQLite reports.
    #[error("cannot {action} {}: {reason}", .path.display())]
    Failed {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: String,
    },
    /// The operating system has no random bytes.
    #[error("the operating system gave no random bytes: {reason}")]
    Random {
        /// Why.
        reason: String,
    },
    /// The writer has ended.
    #[error("the journal {} is closed", .path.display())]
    Closed {
        /// The file.
        path: PathBuf,
    },
}

impl StorageError {
    pub(crate) fn new(action: &'static str, path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_owned();
        let reason = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged { path, reason },
            _ => Self::Failed { action, path, reason },
        }
    }
}
