//! Reads an artifact that is a file or a folder.

use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::Path;

use super::source::{ArtifactError, Sink};

/// A release of one file under its own name.
pub(super) fn feed_file(path: &Path, sink: &mut dyn Sink) -> Result<(), ArtifactError> {
    let name = path.file_name().map(OsStrExt::as_bytes).unwrap_or(b"artifact");
    feed_content(path, name, sink)
}

/// Everything below a folder but what is left out, by its path.
pub(super) fn feed_folder(
    root: &Path,
    is_left_out: fn(&[u8]) -> bool,
    sink: &mut dyn Sink,
) -> Result<(), ArtifactError> {
    let mut open = vec![Vec::new()];
    while let Some(folder) = open.pop() {
        let path = below(root, &folder);
        let entries = fs::read_dir(&path).map_err(|error| unreadable(&folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(ArtifactError::Read)?;
            let name = entry.file_name();
            let mut relative = folder.clone();
            if !relative.is_empty() {
                relative.push(b'/');
            }
            relative.extend_from_slice(name.as_bytes());
            if is_left_out(&relative) {
                continue;
            }
            let kind = entry.file_type().map_err(|error| unreadable(&relative, &error))?;
            if kind.is_dir() {
                sink.folder(&relative)?;
                open.push(relative);
            } else if kind.is_symlink() {
                let target = fs::read_link(entry.path()).map_err(|error| unreadable(&relative, &error))?;
                sink.link(&relative, target.as_os_str().as_bytes())?;
            } else if kind.is_file() {
                feed_content(&entry.path(), &relative, sink)?;
            } else {
                let what = if kind.is_socket() {
                    "is a socket"
                } else if kind.is_fifo() {
                    "is a named pipe"
                } else {
                    "is a device"
                };
                return Err(ArtifactError::at(&relative, &format!("{what}; keep it out of the artifact")));
            }
        }
    }
    Ok(())
}

fn feed_content(path: &Path, relative: &[u8], sink: &mut dyn Sink) -> Result<(), ArtifactError> {
    let mut file = File::open(path).map_err(|error| unreadable(relative, &error))?;
    let metadata = file.metadata().map_err(|error| unreadable(relative, &error))?;
    sink.file(relative, metadata.permissions().mode() & 0o100 != 0, &mut file)
}

fn below(root: &Path, relative: &[u8]) -> std::path::PathBuf {
    root.join(std::ffi::OsStr::from_bytes(relative))
}

fn unreadable(relative: &[u8], error: &std::io::Error) -> ArtifactError {
    ArtifactError::at(relative, &format!("cannot be read ({error}); change its permissions, or remove it"))
}
