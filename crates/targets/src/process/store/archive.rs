//! Reads an artifact that is a tar archive. Nothing in it is trusted.

use std::io::Read;

use tar::EntryType;

use super::source::{ArtifactError, Sink, is_no_part};

/// Everything in the archive.
pub(super) fn feed(reader: impl Read, sink: &mut dyn Sink) -> Result<(), ArtifactError> {
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        let raw = entry.path_bytes().into_owned();
        let Some(path) = clean(&raw)?.filter(|path| !is_no_part(path)) else { continue };
        match entry.header().entry_type() {
            EntryType::Directory => sink.folder(&path)?,
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                let mode = entry.header().mode().map_err(|error| damaged(&error))?;
                sink.file(&path, mode & 0o100 != 0, &mut entry)?;
            }
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default().into_owned();
                sink.link(&path, &target)?;
            }
            EntryType::Link => {
                let first = clean(&entry.link_name_bytes().unwrap_or_default())?.unwrap_or_default();
                sink.same_file(&path, &first)?;
            }
            EntryType::XGlobalHeader => {}
            other => {
                let reason = format!(
                    "is of the type {other:?}, not a file, folder or link; keep it out of the archive"
                );
                return Err(ArtifactError::at(&path, &reason));
            }
        }
    }
    Ok(())
}

/// The path without `.` segments, or `None` for the root itself.
fn clean(raw: &[u8]) -> Result<Option<Vec<u8>>, ArtifactError> {
    if raw.starts_with(b"/") {
        return Err(ArtifactError::at(raw, "is an absolute path; pack the archive with relative ones"));
    }
    if raw.contains(&0) {
        return Err(ArtifactError::at(raw, "holds a zero byte; pack the archive anew"));
    }
    let mut segments = Vec::new();
    for segment in raw.split(|byte| *byte == b'/') {
        match segment {
            b"" | b"." => {}
            b".." => return Err(ArtifactError::at(raw, "has `..` in its path; pack the archive without it")),
            _ => segments.push(segment),
        }
    }
    Ok((!segments.is_empty()).then(|| segments.join(&b'/')))
}

fn damaged(error: &std::io::Error) -> ArtifactError {
    ArtifactError::Refused(format!("is not a readable archive ({error}); build it anew"))
}
