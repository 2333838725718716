//! Secrets that lie in files.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

use crate::secret::read_limited;
use crate::{LIMIT_BYTES, Secret};

/// Why a file does not hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FileError {
    /// The system says no.
    #[error("{} cannot be read: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// In the words of the system.
        reason: String,
    },
    /// A folder, a pipe, a device; or too long.
    #[error("{} is not a file of at most {} KiB", .path.display(), LIMIT_BYTES >> 10)]
    Unfit {
        /// The file.
        path: PathBuf,
    },
}

/// The secret in a file; blocks for as long as the disk takes.
pub(crate) fn read(path: &Path) -> Result<Secret, FileError> {
    let bytes = read_bytes(path)?;
    Ok(Secret::of_text(bytes.to_vec()))
}

/// Everything in a file.
pub(crate) fn read_bytes(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let failed =
        |error: io::Error| FileError::Unreadable { path: path.to_owned(), reason: error.to_string() };
    // Looked at before it is opened: opening a pipe would wait for somebody to write to it.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(FileError::Unfit { path: path.to_owned() });
    }
    let bytes = read_limited(File::open(path).map_err(failed)?).map_err(failed)?;
    bytes.ok_or_else(|| FileError::Unfit { path: path.to_owned() })
}
