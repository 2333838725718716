//! Finding and reading `pilotage.yaml`.

use std::fs;
use std::path::{Path, PathBuf};

use pilotage_spec::{Diagnostics, Project};
use thiserror::Error;

/// What the file is called.
const FILE_NAME: &str = "pilotage.yaml";
/// A longer file is taken for a mistake, in bytes.
const SIZE_LIMIT_BYTES: u64 = 1 << 20;

/// Why there is no project.
#[derive(Debug, Error)]
pub enum FileError {
    /// Nothing is called `pilotage.yaml` here or above.
    #[error("there is no {FILE_NAME} in {} or a folder above it", .from.display())]
    NotFound {
        /// Where the search began.
        from: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {}: {reason}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// It can be read, and there are faults in it.
    #[error("{diagnostics}")]
    Faulty {
        /// What is wrong, and where.
        diagnostics: Diagnostics,
    },
}

/// Looks for `pilotage.yaml` in a folder and those above it.
///
/// # Errors
/// Fails if there is none.
pub fn find_project_file(from: &Path) -> Result<PathBuf, FileError> {
    let mut folders = from.ancestors().map(|folder| folder.join(FILE_NAME));
    folders.find(|file| file.is_file()).ok_or_else(|| FileError::NotFound { from: from.to_owned() })
}

/// Reads the project from its file.
///
/// # Errors
/// Fails if the file cannot be read, or has faults.
pub fn read_project(path: &Path) -> Result<Project, FileError> {
    let text = read_text(path)?;
    let name = path.file_name().map_or_else(|| FILE_NAME.into(), |name| name.to_string_lossy());
    pilotage_policy::read(&name, &text).map_err(|diagnostics| FileError::Faulty { diagnostics })
}

fn read_text(path: &Path) -> Result<String, FileError> {
    let unreadable = |reason: String| FileError::Unreadable { path: path.to_owned(), reason };
    let size = fs::metadata(path).map_err(|error| unreadable(error.to_string()))?.len();
    if size > SIZE_LIMIT_BYTES {
        return Err(unreadable(format!(
            "it has {size} bytes, and {SIZE_LIMIT_BYTES} are the most that is read"
        )));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| unreadable(format!("it is not UTF-8 text: {error}")))
}
