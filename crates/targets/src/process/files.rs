//! Small files that are there as a whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use pilotage_spec::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::TargetError;

/// The time of the machine's clock.
pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(since.as_micros().try_into().unwrap_or(i64::MAX))
}

/// Writes a value as JSON, readable by its owner alone. If this process dies meanwhile, the old content or the new is
/// there, never a mixture; after a power failure the file may be anything.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    replace(path, value, false)
}

/// Like [`write_json`], and what was written survives a power failure.
pub fn write_json_durably<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    replace(path, value, true)?;
    path.parent().map_or(Ok(()), sync_folder)
}

fn replace<T: Serialize>(path: &Path, value: &T, durably: bool) -> io::Result<()> {
    let temporary = path.with_extension(format!("tmp-{}", std::process::id()));
    let written = write_new(&temporary, value, durably).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

fn write_new<T: Serialize>(path: &Path, value: &T, durably: bool) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    file.write_all(&text)?;
    if durably { file.sync_all() } else { Ok(()) }
}

/// Writes a file that only its owner may read, in one piece: whoever reads it sees the old bytes or the new ones.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    let temporary = PathBuf::from(name);
    let mut options = OpenOptions::new();
    let written = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Reads a value written by [`write_json`]; `None` if there is no such file.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the entries of a folder durable.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Creates a folder and those above it, for its owner alone.
pub fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Whether the error says that there is no room left, on the disk or in the user's quota.
pub fn is_disk_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// The target's error for a failed operation on a file.
pub fn file_error(doing: &str, path: &Path, error: &io::Error) -> TargetError {
    if is_disk_full(error) {
        return TargetError::DiskFull { path: path.display().to_string() };
    }
    TargetError::Failed { doing: format!("{doing} {}", path.display()), reason: error.to_string() }
}
