//! The sessions of somebody who has signed in: one token a server, in a file that only its owner can read.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

type Sessions = BTreeMap<String, String>;

/// The token for a server, if somebody has signed in there.
pub fn token(server: &str) -> Result<Option<String>, Failure> {
    // Without a home there is nowhere to look.
    let Some(file) = file() else { return Ok(None) };
    Ok(read(&file)?.remove(server))
}

/// Keeps the token for a server.
pub fn keep(server: &str, token: &str) -> Result<(), Failure> {
    let file = file()
        .ok_or_else(|| Failure::failed("neither XDG_CONFIG_HOME nor HOME says where to keep a session"))?;
    let mut sessions = read(&file)?;
    sessions.insert(server.to_owned(), token.to_owned());
    write(&file, &sessions)
}

/// Forgets the token for a server.
pub fn forget(server: &str) -> Result<(), Failure> {
    let Some(file) = file() else { return Ok(()) };
    let mut sessions = read(&file)?;
    match sessions.remove(server) {
        Some(_) => write(&file, &sessions),
        None => Ok(()),
    }
}

/// XDG Base Directory Specification: `$XDG_CONFIG_HOME`, or `~/.config`.
fn file() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")));
    Some(folder?.join("pilotage").join("sessions.json"))
}

fn read(file: &Path) -> Result<Sessions, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::failed(format!("cannot use {}: {error}", file.display()));
    let metadata = match fs::metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Sessions::new()),
        found => found.map_err(|error| failed(&error))?,
    };
    if metadata.mode() & 0o077 != 0 {
        return Err(
            failed(&"others can read it").hint(format!("chmod 600 {}, and sign in again", file.display()))
        );
    }
    let text = fs::read(file).map_err(|error| failed(&error))?;
    // What is in it is not repeated.
    serde_json::from_slice(&text).map_err(|_| failed(&"it is damaged").hint("remove it, and sign in again"))
}

/// Writes it anew beside itself, so that it is never seen half written, nor by anybody else.
fn write(file: &Path, sessions: &Sessions) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::failed(format!("cannot write {}: {error}", file.display()));
    if let Some(folder) = file.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    }
    let text = serde_json::to_vec(sessions)?;
    let beside = file.with_extension(format!("{}.new", std::process::id()));
    let mut open =
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(&beside).map_err(failed)?;
    let written =
        open.write_all(&text).and_then(|()| open.sync_all()).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        // It is of no use to anybody.
        let _ = fs::remove_file(&beside);
    }
    written.map_err(failed)
}
