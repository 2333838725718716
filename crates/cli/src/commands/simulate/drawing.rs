//! A picture's file: begun before the work, so that a wrong path is told at once, and there only when it is complete.

use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::Failure;

pub struct Drawing {
    path: PathBuf,
    file: NamedTempFile,
}

impl Drawing {
    /// Begins a file beside the one that is wanted.
    pub fn begin(path: &Path) -> Result<Self, Failure> {
        let cannot = |reason: &str| Failure::usage(format!("cannot write {}: {reason}", path.display()));
        if path.is_dir() {
            return Err(cannot("it is a folder"));
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // Readable for others, as any picture that is written is.
        let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        let file = tempfile::Builder::new()
            .prefix(".pilotage-")
            .permissions(readable)
            .tempfile_in(folder)
            .map_err(|error| cannot(&error.to_string()))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes it, and puts it in its place.
    pub fn end(mut self, text: &str) -> Result<(), Failure> {
        let cannot =
            |error: std::io::Error| Failure::failed(format!("cannot write {}: {error}", self.path.display()));
        self.file.write_all(text.as_bytes()).map_err(cannot)?;
        self.file.persist(&self.path).map_err(|error| cannot(error.error))?;
        Ok(())
    }
}
