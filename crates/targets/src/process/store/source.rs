//! Where an artifact is read from: a file, a folder or an archive.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{archive, folder};
use crate::TargetError;
use crate::process::files::is_disk_full;

/// The most an artifact may hold unpacked, in bytes.
const MAX_BYTES: u64 = 8 << 30;
/// The most entries an artifact may hold.
const MAX_ENTRIES: usize = 500_000;

/// What lies in a project's folder and is no part of it: its history, and what Pilotage itself keeps there.
const NO_PART: [&str; 2] = [".git", ".pilotage"];

/// Whether a path belongs to what is never taken into a release.
pub(super) fn is_no_part(path: &[u8]) -> bool {
    let first = path.split(|byte| *byte == b'/').next().unwrap_or(path);
    NO_PART.iter().any(|name| name.as_bytes() == first)
}

/// Why an artifact cannot be taken.
#[derive(Debug, Error)]
pub enum ArtifactError {
    /// It is not acceptable; the text says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// It could not be read.
    #[error("cannot be read: {0}")]
    Read(io::Error),
    /// The copy could not be written.
    #[error("its copy cannot be written: {0}")]
    Write(io::Error),
}

impl ArtifactError {
    /// An entry that is refused.
    pub(super) fn at(path: &[u8], reason: &str) -> Self {
        Self::Refused(format!("`{}` {reason}", String::from_utf8_lossy(path).escape_debug()))
    }

    /// The target's error, for the artifact at `source` and its copy in `store`.
    pub fn into_target_error(self, source: &Path, store: &Path) -> TargetError {
        match self {
            Self::Write(error) if is_disk_full(&error) => {
                TargetError::DiskFull { path: store.display().to_string() }
            }
            other => TargetError::Artifact { path: source.display().to_string(), reason: other.to_string() },
        }
    }
}

/// What takes the entries of an artifact one by one. Paths are relative, clean, and separated by `/`.
pub(super) trait Sink {
    fn folder(&mut self, path: &[u8]) -> Result<(), ArtifactError>;
    fn file(&mut self, path: &[u8], executable: bool, content: &mut dyn Read) -> Result<(), ArtifactError>;
    fn link(&mut self, path: &[u8], target: &[u8]) -> Result<(), ArtifactError>;
    /// The same content once more, at another path.
    fn same_file(&mut self, path: &[u8], first: &[u8]) -> Result<(), ArtifactError>;
}

/// An artifact that has been looked at.
pub(super) enum Source {
    File(PathBuf),
    Folder(PathBuf),
    /// A release in the store, in which nothing may be but the release.
    Stored(PathBuf),
    Tar(PathBuf),
    TarGz(PathBuf),
}

impl Source {
    /// Looks at what is there.
    pub(super) fn open(path: &Path) -> Result<Self, ArtifactError> {
        let path = path.canonicalize().map_err(|error| missing(&error))?;
        let metadata = fs::metadata(&path).map_err(ArtifactError::Read)?;
        if metadata.is_dir() {
            return Ok(Self::Folder(path));
        }
        if !metadata.is_file() {
            return Err(ArtifactError::Refused(
                "is neither a file nor a folder; name the build's output in `artifact`".into(),
            ));
        }
        let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
        Ok(if name.ends_with(".tar") {
            Self::Tar(path)
        } else if name.ends_with(".tar.gz") || name.ends_with(".tgz") {
            Self::TarGz(path)
        } else {
            Self::File(path)
        })
    }

    /// Hands all entries to the sink.
    pub(super) fn feed(&self, sink: &mut dyn Sink) -> Result<(), ArtifactError> {
        let open = |path: &Path| File::open(path).map_err(|error| missing(&error));
        match self {
            Self::File(path) => folder::feed_file(path, sink),
            Self::Folder(path) => folder::feed_folder(path, is_no_part, sink),
            Self::Stored(path) => folder::feed_folder(path, |_| false, sink),
            Self::Tar(path) => archive::feed(io::BufReader::new(open(path)?), sink),
            Self::TarGz(path) => {
                archive::feed(flate2::read::MultiGzDecoder::new(io::BufReader::new(open(path)?)), sink)
            }
        }
    }
}

fn missing(error: &io::Error) -> ArtifactError {
    ArtifactError::Refused(match error.kind() {
        io::ErrorKind::NotFound => "is not there; build it first, or correct `artifact`".into(),
        io::ErrorKind::PermissionDenied => {
            "may not be read by this user; change its permissions, or run Pilotage as its owner".into()
        }
        // `io::ErrorKind` has no stable name for it.
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            "is a symbolic link that leads in a circle; remove it".into()
        }
        _ => format!("cannot be opened: {error}"),
    })
}

/// Counts what an artifact holds and refuses one that would fill the machine.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    bytes: u64,
    entries: usize,
}

impl Allowance {
    pub(super) fn entry(&mut self) -> Result<(), ArtifactError> {
        self.entries += 1;
        if self.entries > MAX_ENTRIES {
            return Err(ArtifactError::Refused(format!(
                "holds more than {MAX_ENTRIES} files; name only what the service needs to run"
            )));
        }
        Ok(())
    }

    pub(super) fn bytes(&mut self, count: u64) -> Result<(), ArtifactError> {
        self.bytes = self.bytes.saturating_add(count);
        if self.bytes > MAX_BYTES {
            return Err(ArtifactError::Refused(format!(
                "holds more than {} GiB; name only what the service needs to run",
                MAX_BYTES >> 30
            )));
        }
        Ok(())
    }
}
