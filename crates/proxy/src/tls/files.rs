//! The files of a certificate: what they hold, and how a change is noticed without reading them.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::error::CertificateError;
use crate::table::Certificate;

/// The most that is read of a file. The longest chains are a few ten thousand bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// What tells the files behind a certificate from those that were there before. Symbolic links are followed, so that a
/// link which is pointed elsewhere is a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fingerprint {
    chain: Result<FileIdentity, io::ErrorKind>,
    key: Result<FileIdentity, io::ErrorKind>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileIdentity {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// Seconds and nanoseconds. Unlike the time of modification, it cannot be set back by who copies a file.
    changed: (i64, i64),
}

impl Fingerprint {
    /// Looks at both files.
    pub(super) fn of(certificate: &Certificate) -> Self {
        let look = |path: &Path| match std::fs::metadata(path) {
            Ok(metadata) => Ok(FileIdentity::from(&metadata)),
            Err(error) => Err(error.kind()),
        };
        Self { chain: look(&certificate.chain), key: look(&certificate.key) }
    }
}

impl From<&Metadata> for FileIdentity {
    fn from(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// Reads a file whole.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let unreadable = |source| CertificateError::Unreadable { file: path.to_owned(), source };
    // Before it is opened: opening a pipe waits for its writer.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(CertificateError::NotAFile { file: path.to_owned() });
    }
    let mut text = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(LARGEST_FILE + 1).read_to_end(&mut text).map_err(unreadable)?;
    if text.len() as u64 > LARGEST_FILE {
        return Err(CertificateError::TooLarge { file: path.to_owned(), most: LARGEST_FILE });
    }
    Ok(text)
}
