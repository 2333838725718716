//! The releases that are there.

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use pilotage_spec::Digest;

use super::copy::Intake;
use super::listing::Listing;
use super::source::{ArtifactError, Source};
use crate::TargetError;
use crate::process::files::{file_error, private_folder, sync_folder};
use crate::process::identity::ProcessStat;

/// The store. All methods block; call them where blocking is allowed.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    /// Releases whose content has been compared with their digest since the store was opened.
    verified: Mutex<BTreeSet<Digest>>,
}

/// Makes the names of unfinished copies unique within this process.
static COPIES: AtomicU64 = AtomicU64::new(0);

impl Store {
    /// Opens the store, creates it if it is not there, and removes copies that a crash left unfinished.
    pub fn open(root: &Path) -> Result<Self, TargetError> {
        private_folder(root).map_err(|error| file_error("create the store", root, &error))?;
        let store = Self { root: root.to_owned(), verified: Mutex::default() };
        store.remove_unfinished().map_err(|error| file_error("read the store", root, &error))?;
        Ok(store)
    }

    /// Takes an artifact in, and says its digest. One that is there already is not copied again.
    pub fn stage(&self, path: &Path) -> Result<Digest, TargetError> {
        self.take_in(path).map_err(|error| error.into_target_error(path, &self.root))
    }

    fn take_in(&self, path: &Path) -> Result<Digest, ArtifactError> {
        let source = Source::open(path)?;
        let digest = list(&source)?.digest();
        if self.folder(&digest).is_dir() {
            return Ok(digest);
        }
        let temporary = self.unfinished_name(&digest);
        let stored = self.copy(&source, &temporary);
        if stored.is_err() {
            let _ = remove_read_only(&temporary);
        }
        stored
    }

    fn copy(&self, source: &Source, temporary: &Path) -> Result<Digest, ArtifactError> {
        fs::create_dir(temporary).map_err(ArtifactError::Write)?;
        let mut intake = Intake::copy_to(temporary);
        source.feed(&mut intake)?;
        let digest = intake.finish()?.digest();
        match fs::rename(temporary, self.folder(&digest)) {
            Ok(()) => {}
            // Somebody else has stored the same at the same time.
            Err(error) if already_there(&error) => {
                remove_read_only(temporary).map_err(ArtifactError::Write)?;
            }
            Err(error) => return Err(ArtifactError::Write(error)),
        }
        sync_folder(&self.root).map_err(ArtifactError::Write)?;
        self.note_verified(&digest);
        Ok(digest)
    }

    /// The folder of a release whose content is known to be that of its digest. It is compared once for each time the
    /// store was opened.
    pub fn verified(&self, digest: &Digest) -> Result<PathBuf, TargetError> {
        let folder = self.folder(digest);
        let refuse = |reason: String| TargetError::Artifact { path: folder.display().to_string(), reason };
        if !folder.is_dir() {
            return Err(refuse("is not in the store; stage the artifact again".into()));
        }
        let known = self.verified.lock().is_ok_and(|verified| verified.contains(digest));
        if known {
            return Ok(folder);
        }
        let found =
            list(&Source::Stored(folder.clone())).map_err(|error| refuse(error.to_string()))?.digest();
        if found != *digest {
            return Err(refuse(format!(
                "has been changed since it was stored: its digest is now {found}; remove this folder and stage the \
                 artifact again"
            )));
        }
        self.note_verified(digest);
        Ok(folder)
    }

    /// Removes all releases but these; says which were removed.
    pub fn prune(&self, keep: &[Digest]) -> Result<Vec<Digest>, TargetError> {
        let failed = |error: io::Error| file_error("clean up the store", &self.root, &error);
        let mut removed = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(digest) = name.to_str().and_then(|name| format!("sha256:{name}").parse::<Digest>().ok())
            else {
                continue;
            };
            if keep.contains(&digest) {
                continue;
            }
            // Renamed first: a release that is only half there must not look whole after a crash.
            let temporary = self.unfinished_name(&digest);
            fs::rename(self.folder(&digest), &temporary).map_err(failed)?;
            if let Ok(mut verified) = self.verified.lock() {
                verified.remove(&digest);
            }
            remove_read_only(&temporary).map_err(failed)?;
            removed.push(digest);
        }
        Ok(removed)
    }

    fn folder(&self, digest: &Digest) -> PathBuf {
        self.root.join(digest.hex())
    }

    fn unfinished_name(&self, digest: &Digest) -> PathBuf {
        let number = COPIES.fetch_add(1, Ordering::Relaxed);
        self.root.join(format!("{}.tmp-{}-{number}", digest.hex(), std::process::id()))
    }

    fn note_verified(&self, digest: &Digest) {
        if let Ok(mut verified) = self.verified.lock() {
            verified.insert(digest.clone());
        }
    }

    /// Removes the unfinished copies of processes that are gone.
    fn remove_unfinished(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let name = entry.file_name();
            let Some((_, owner)) = name.to_str().and_then(|name| name.split_once(".tmp-")) else { continue };
            let pid = owner.split('-').next().and_then(|pid| pid.parse().ok());
            if pid.is_none_or(|pid| ProcessStat::read(pid).is_err()) {
                remove_read_only(&entry.path())?;
            }
        }
        Ok(())
    }
}

fn list(source: &Source) -> Result<Listing, ArtifactError> {
    let mut intake = Intake::list();
    source.feed(&mut intake)?;
    intake.finish()
}

fn already_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty)
}

/// Removes a folder whose folders may not be written to.
fn remove_read_only(path: &Path) -> io::Result<()> {
    fs::set_permissions(path, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            remove_read_only(&entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    fs::remove_dir(path)
}
