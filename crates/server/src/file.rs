//! Finding and reading `pilotage.yaml`.

use std::fs;
use std::path::{Path, PathBuf};

use pilotage_change::calendar;
use pilotage_spec::{Diagnostics, Project, RelativePath};
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
    /// It is well written, and names zones or times that there are not.
    #[error("{} cannot be used: {}", .path.display(), .faults.join("; "))]
    Windows {
        /// The file.
        path: PathBuf,
        /// What is wrong, each with the window's name.
        faults: Vec<String>,
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
    let project =
        pilotage_policy::read(&name, &text).map_err(|diagnostics| FileError::Faulty { diagnostics })?;
    let faults = window_faults(&project);
    if !faults.is_empty() {
        return Err(FileError::Windows { path: path.to_owned(), faults });
    }
    Ok(project)
}

/// What is wrong with the zones and times of a project's windows, each fault with the window's name. Calendars are not read:
/// they are files of their own that change by themselves.
pub fn window_faults(project: &Project) -> Vec<String> {
    let faults = project.windows.iter().flat_map(|(name, windows)| {
        calendar::check(windows).into_iter().map(move |fault| format!("window `{name}`: {fault}"))
    });
    faults.collect()
}

/// What is wrong with the calendars of a project in a folder, each fault with the window's name.
pub fn calendar_faults(project: &Project, folder: &Path) -> Vec<String> {
    let read = |path: &RelativePath| calendar::read_calendar(folder, path);
    let faults = project.windows.iter().flat_map(|(name, windows)| {
        calendar::check_calendars(windows, &read)
            .into_iter()
            .map(move |fault| format!("window `{name}`: {fault}"))
    });
    faults.collect()
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
