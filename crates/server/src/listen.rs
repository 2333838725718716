//! The server's socket.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::net::UnixListener;

/// Listens at `path`. Whatever lies there was left behind by a server that is gone: the caller holds the journal's lock,
/// and so is the only server of this state folder.
pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    // The folder keeps others out already; this is the second lock.
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}
