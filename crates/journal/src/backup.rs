//! A copy of the journal in one new file.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use thiserror::Error;

use crate::store::{OpenError, StorageError, beside, flush_folder};
use crate::{Reader, Verified, VerifyError};

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// The copy.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// What verifying the copy found.
    pub verified: Verified,
}

/// Why there is no backup. Nothing is left at the path that was given.
#[derive(Debug, Error)]
pub enum BackupError {
    /// Something is there already.
    #[error("{} exists already: a backup overwrites nothing, give another path", .path.display())]
    Exists {
        /// The path that was given.
        path: PathBuf,
    },
    /// The operating system refused something.
    #[error("cannot {action} the backup {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The path that was given.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// The copy could not be opened again.
    #[error("the backup cannot be opened: {0}")]
    Open(#[from] OpenError),
    /// The copy, and so most likely the journal, is not as it was written.
    #[error("the backup was discarded: {0}")]
    Verify(#[from] VerifyError),
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Copies what `connection` sees to the new file `to`. The copy is made and checked under another name; the name given
/// is claimed first, by an empty file that the copy replaces in the end.
pub(crate) fn write(connection: &Connection, to: &Path) -> Result<BackupReport, BackupError> {
    let draft = beside(to, ".partial");
    let failed = |action| {
        let path = to.to_owned();
        move |source| BackupError::Io { action, path, source }
    };
    let create = |path| OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let exists = |error: std::io::Error, path: &Path| match error.kind() {
        ErrorKind::AlreadyExists => BackupError::Exists { path: path.to_owned() },
        _ => failed("create")(error),
    };
    create(to).map_err(|error| exists(error, to))?;
    let written = create(&draft).map_err(|error| exists(error, &draft)).and_then(|_| {
        let verified = copy(connection, &draft).inspect_err(|_| drop(fs::remove_file(&draft)))?;
        fs::rename(&draft, to).map_err(failed("finish"))?;
        flush_folder(to).map_err(failed("flush the folder of"))?;
        Ok(verified)
    });
    let verified = written.inspect_err(|_| drop(fs::remove_file(to)))?;
    let bytes = fs::metadata(to).map_err(failed("look at"))?.len();
    Ok(BackupReport { path: to.to_owned(), bytes, verified })
}

fn copy(connection: &Connection, draft: &Path) -> Result<Verified, BackupError> {
    let name = draft.to_str().ok_or_else(|| BackupError::Io {
        action: "create",
        path: draft.to_owned(),
        source: std::io::Error::new(ErrorKind::InvalidInput, "its path is not UTF-8"),
    })?;
    connection
        .execute("VACUUM INTO ?1", [name])
        .map_err(|error| StorageError::new("write the backup", draft, &error))?;
    let flush = || File::open(draft)?.sync_all();
    flush().map_err(|source| BackupError::Io { action: "flush", path: draft.to_owned(), source })?;
    Ok(Reader::open(draft)?.verify()?)
}
