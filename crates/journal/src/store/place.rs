//! Where the file lies: nothing here opens the database.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::OpenError;

/// What is at a path.
pub(crate) enum Found {
    Nothing,
    /// A regular file of so many bytes.
    File(u64),
}

/// The path with links resolved, so that one file has one lock however it is reached.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    let failed = |source| OpenError::Io { action: "find", path: path.to_owned(), source };
    match fs::canonicalize(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        result => return result.map_err(failed),
    }
    let Some(name) = path.file_name() else {
        return Err(OpenError::NotAFile { path: path.to_owned() });
    };
    Ok(fs::canonicalize(folder(path)).map_err(failed)?.join(name))
}

/// The folder that holds the file.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The path of a side file: the same name with something appended, as SQLite does it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// Looks what is there. Anything but a regular file is an error.
pub(crate) fn look(path: &Path) -> Result<Found, OpenError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Found::File(metadata.len())),
        Ok(_) => Err(OpenError::NotAFile { path: path.to_owned() }),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Found::Nothing),
        Err(source) => Err(OpenError::Io { action: "look at", path: path.to_owned(), source }),
    }
}

/// Whether a write-ahead log with content lies beside the file.
pub(crate) fn has_log(path: &Path) -> bool {
    fs::metadata(beside(path, "-wal")).is_ok_and(|metadata| metadata.len() > 0)
}

/// Makes a change of the folder's entries durable.
pub(crate) fn flush_folder(path: &Path) -> std::io::Result<()> {
    File::open(folder(path))?.sync_all()
}

/// Refuses file systems whose locks or flushes do not reach the disk reliably, as far as they can be told.
pub(crate) fn refuse_network(path: &Path) -> Result<(), OpenError> {
    let failed = |errno: rustix::io::Errno| OpenError::Io {
        action: "look at the file system of",
        path: path.to_owned(),
        source: errno.into(),
    };
    let statistics = rustix::fs::statfs(folder(path)).map_err(failed)?;
    // The width and sign of the field differ between platforms; the magic numbers have 32 bits.
    match network_filesystem(statistics.f_type as u32) {
        Some(kind) => Err(OpenError::NetworkFilesystem { path: path.to_owned(), kind }),
        None => Ok(()),
    }
}

/// The name of a network file system by its magic number (statfs(2) and the kernel's `magic.h`).
fn network_filesystem(magic: u32) -> Option<&'static str> {
    Some(match magic {
        0x0000_6969 => "NFS",
        0x0000_517b | 0xfe53_4d42 | 0xff53_4d42 => "SMB",
        0x0000_564c => "NCP",
        0x5346_414f | 0x6b41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x00c3_6400 => "Ceph",
        0x0bd0_0bd0 => "Lustre",
        0x0116_1970 => "GFS2",
        0x7461_636f => "OCFS2",
        _ => return None,
    })
}

/// The path as an SQLite URI with these parameters (<https://www.sqlite.org/uri.html>).
pub(crate) fn uri(path: &Path, parameters: &str) -> String {
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_' | b'~') {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02x}"));
        }
    }
    uri.push('?');
    uri.push_str(parameters);
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_told_from_local_ones() {
        assert_eq!(network_filesystem(0x6969), Some("NFS"));
        assert_eq!(network_filesystem(0xff53_4d42), Some("SMB"));
        for local in [0xef53, 0x0102_1994, 0x5846_5342, 0x9123_683e, 0x794c_7630] {
            assert_eq!(network_filesystem(local), None, "{local:x} (ext4, tmpfs, xfs, btrfs, overlay)");
        }
    }

    #[test]
    fn uris_escape_what_sqlite_would_read_as_syntax() {
        assert_eq!(uri(Path::new("/a b?c#%.db"), "immutable=1"), "file:/a%20b%3fc%23%25.db?immutable=1");
    }
}
