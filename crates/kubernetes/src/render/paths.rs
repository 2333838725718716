//! Paths that stay inside the project's folder.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::OFlags;

use super::RenderError;

/// The folder that `pilotage.yaml` lies in, without links.
#[derive(Debug, Clone)]
pub(super) struct ProjectFolder(PathBuf);

impl ProjectFolder {
    pub(super) fn at(folder: &Path) -> Result<Self, RenderError> {
        let found = fs::canonicalize(folder);
        found
            .map(Self)
            .map_err(|error| RenderError::input(folder.display(), format!("cannot be entered: {error}")))
    }

    /// Where something of the project really is.
    ///
    /// # Errors
    /// Fails if it is not there, or lies outside by a link.
    pub(super) fn locate(&self, path: &Path) -> Result<PathBuf, RenderError> {
        let found = fs::canonicalize(self.0.join(path)).map_err(|error| unreadable(path, &error))?;
        if !found.starts_with(&self.0) {
            let reason = "leads out of the project's folder by a link; put the file itself into the project";
            return Err(RenderError::input(path.display(), reason));
        }
        Ok(found)
    }

    /// What is in a file of the project.
    ///
    /// # Errors
    /// Fails if it cannot be read, is no plain file, or is longer than `limit_bytes`.
    pub(super) fn read(&self, path: &Path, limit_bytes: usize) -> Result<Vec<u8>, RenderError> {
        let file = open(&self.locate(path)?).map_err(|error| unreadable(path, &error))?;
        let metadata = file.metadata().map_err(|error| unreadable(path, &error))?;
        if !metadata.is_file() {
            return Err(RenderError::input(path.display(), "is no plain file; name a file of YAML"));
        }
        let mut content = Vec::new();
        let limit = limit_bytes as u64;
        file.take(limit + 1).read_to_end(&mut content).map_err(|error| unreadable(path, &error))?;
        if content.len() > limit_bytes {
            let reason = format!(
                "has more than {limit_bytes} bytes together with the files before it; is it the one that was meant?"
            );
            return Err(RenderError::input(path.display(), reason));
        }
        Ok(content)
    }
}

/// Opened without following what was put in its place since it was located, and without waiting for a pipe's other end.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)
}

fn unreadable(path: &Path, error: &std::io::Error) -> RenderError {
    RenderError::input(
        path.display(),
        format!("cannot be read: {error}; correct its path in pilotage.yaml, or put it there"),
    )
}

/// A path seen from `folder`, both relative to the project's folder, without `.` and `..`. `None` if it leads out of it.
pub(super) fn join(folder: &Path, path: &Path) -> Option<PathBuf> {
    let mut joined = folder.to_owned();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                if !joined.pop() {
                    return None;
                }
            }
            Component::Normal(name) => joined.push(name),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(joined)
}
