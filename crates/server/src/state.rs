//! The folders of a server: one that is kept, and a short one for sockets.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// The longest folder in which the longest of our sockets, and a temporary name beside it, still fits into the 107 bytes
/// that the kernel allows (unix(7)).
const RUN_FOLDER_LIMIT_BYTES: usize = 80;

/// The folders of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateFolder {
    root: PathBuf,
    run: PathBuf,
}

/// Why the folders cannot be used.
#[derive(Debug, Error)]
pub enum StateError {
    /// The operating system refused something.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Somebody else could read or replace what is in it.
    #[error(
        "{} belongs to the user with id {owner}, and not to you: remove it, or choose another state folder",
        .path.display()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
}

impl StateFolder {
    /// Works out the folders for a state folder, and creates nothing. `root` is made absolute.
    ///
    /// # Errors
    /// Fails if the current folder is not known.
    pub fn at(root: &Path) -> Result<Self, StateError> {
        let root = fs::canonicalize(root)
            .or_else(|_| std::path::absolute(root))
            .map_err(|source| StateError::Io { action: "find", path: root.to_owned(), source })?;
        let inside = root.join("run");
        let run =
            if inside.as_os_str().len() <= RUN_FOLDER_LIMIT_BYTES { inside } else { short_folder(&root) };
        Ok(Self { root, run })
    }

    /// The same with another folder of sockets, which is made absolute: for a volume that cannot hold any.
    ///
    /// # Errors
    /// Fails if the path is too long for sockets in it.
    pub fn with_run(self, run: &Path) -> Result<Self, StateError> {
        let failed = |source| StateError::Io { action: "use", path: run.to_owned(), source };
        let absolute = std::path::absolute(run).map_err(failed)?;
        if absolute.as_os_str().len() > RUN_FOLDER_LIMIT_BYTES {
            return Err(failed(io::ErrorKind::InvalidFilename.into()));
        }
        Ok(Self { run: absolute, ..self })
    }

    /// Creates what is missing, for this user alone.
    ///
    /// # Errors
    /// Fails if a folder cannot be created, or belongs to somebody else.
    pub fn create(&self) -> Result<(), StateError> {
        private_folder(&self.root)?;
        // The parent of a short folder is ours as well; any other folder was there before.
        if let Some(parent) = self.run.parent().filter(|parent| *parent == parent_of_short_folders()) {
            private_folder(parent)?;
        }
        private_folder(&self.run)
    }

    /// The folder that is kept.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of sockets.
    pub fn run(&self) -> &Path {
        &self.run
    }

    /// The journal.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal.db")
    }

    /// The server's socket.
    pub fn socket(&self) -> PathBuf {
        self.run.join("server.sock")
    }

    /// What a server in the background writes.
    pub fn log(&self) -> PathBuf {
        self.root.join("server.log")
    }
}

/// `/tmp/pilotage-UID/` and a part of the digest of the state folder's path.
fn short_folder(root: &Path) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let digest = Sha256::digest(root.as_os_str().as_bytes());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    parent_of_short_folders().join(name)
}

fn parent_of_short_folders() -> PathBuf {
    let uid = rustix::process::geteuid().as_raw();
    PathBuf::from(format!("/tmp/pilotage-{uid}"))
}

/// Creates a folder that only its owner can enter. One that is there must be ours; its mode is put right.
fn private_folder(path: &Path) -> Result<(), StateError> {
    let failed = |action| move |source| StateError::Io { action, path: path.to_owned(), source };
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(source) => return Err(failed("create the folder")(source)),
    }
    // Not followed: a link in a folder that others may write to could lead anywhere.
    let metadata = fs::symlink_metadata(path).map_err(failed("look at"))?;
    let owner = metadata.uid();
    if owner != rustix::process::geteuid().as_raw() {
        return Err(StateError::NotOurs { path: path.to_owned(), owner });
    }
    if !metadata.is_dir() {
        return Err(failed("use")(io::Error::from(io::ErrorKind::NotADirectory)));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed("set the mode of"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_for_their_owner_alone() {
        let temporary = tempfile::tempdir().unwrap();
        let state = StateFolder::at(&temporary.path().join("state")).unwrap();
        state.create().unwrap();
        state.create().unwrap();
        for folder in [state.root(), state.run()] {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn sockets_may_have_a_folder_elsewhere_below_one_of_others() {
        let temporary = tempfile::tempdir().unwrap();
        let others = temporary.path().join("volume");
        fs::create_dir(&others).unwrap();
        fs::set_permissions(&others, fs::Permissions::from_mode(0o777)).unwrap();
        let state = StateFolder::at(&temporary.path().join("state")).unwrap();
        let state = state.with_run(&others.join("sockets")).unwrap();
        state.create().unwrap();
        assert_eq!(fs::metadata(&others).unwrap().permissions().mode() & 0o777, 0o777);
        assert_eq!(fs::metadata(state.run()).unwrap().permissions().mode() & 0o777, 0o700);
        let long =
            StateFolder::at(temporary.path()).unwrap().with_run(Path::new(&format!("/{}", "x".repeat(90))));
        assert!(matches!(long, Err(StateError::Io { .. })));
    }

    #[test]
    fn sockets_of_a_deep_folder_lie_in_a_short_one() {
        let state = StateFolder::at(Path::new(&format!("/{}", "deep/".repeat(40)))).unwrap();
        assert!(state.run().starts_with("/tmp"), "{}", state.run().display());
        assert!(state.run().as_os_str().len() <= RUN_FOLDER_LIMIT_BYTES);
        let other = StateFolder::at(Path::new(&format!("/{}x", "deep/".repeat(40)))).unwrap();
        assert_ne!(state.run(), other.run());
    }

    #[test]
    fn a_link_in_place_of_a_folder_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let link = temporary.path().join("link");
        std::os::unix::fs::symlink(temporary.path(), &link).unwrap();
        assert!(matches!(private_folder(&link), Err(StateError::Io { .. })));
    }
}
