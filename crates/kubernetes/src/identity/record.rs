//! What names of clusters led to when they were used first.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use kube::Client;
use pilotage_targets::TargetError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{ClusterIdentity, identify};

/// The form of the file.
const FORM: u32 = 1;
/// A longer file is none of ours, in bytes.
const SIZE_LIMIT_BYTES: u64 = 64 << 10;

/// The recorded identities, one file a name.
#[derive(Debug, Clone)]
pub struct Identities {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Record {
    form: u32,
    /// The name, for people: the file's own name is a digest of it.
    name: String,
    identity: ClusterIdentity,
}

impl Identities {
    /// Those that are kept in a state folder.
    pub fn at(state_folder: &Path) -> Self {
        Self { folder: state_folder.join("clusters") }
    }

    /// Asks a cluster who it is, and compares that with what `name` led to before; at first use, it is recorded.
    ///
    /// # Errors
    /// [`TargetError::Identity`] if it is another cluster than before. Fails as well if it cannot be asked, or nothing can be
    /// recorded: a cluster that could not be told from another one is not used.
    pub async fn verify(
        &self,
        name: &str,
        client: &Client,
        authorities: Option<&[Vec<u8>]>,
    ) -> Result<ClusterIdentity, TargetError> {
        let found = identify(name, client, authorities).await?;
        let (identities, name) = (self.clone(), name.to_owned());
        let compared = tokio::task::spawn_blocking(move || identities.compare(&name, found)).await;
        compared.unwrap_or_else(|_| {
            let reason = "the work ended unexpectedly; see the server's log".to_owned();
            Err(TargetError::Failed {
                doing: "compare the cluster with the one that was used before".to_owned(),
                reason,
            })
        })
    }

    /// Compares with what is recorded, and records what was not known.
    pub(super) fn compare(&self, name: &str, found: ClusterIdentity) -> Result<ClusterIdentity, TargetError> {
        let Some(recorded) = self.recorded(name)? else {
            self.write(name, &found, false)?;
            // Somebody else may have been first, and that counts.
            return self.check(name, self.recorded(name)?.unwrap_or_else(|| found.clone()), found);
        };
        self.check(name, recorded, found)
    }

    fn check(
        &self,
        name: &str,
        recorded: ClusterIdentity,
        found: ClusterIdentity,
    ) -> Result<ClusterIdentity, TargetError> {
        if !recorded.matches(&found) {
            return Err(TargetError::Identity {
                name: name.to_owned(),
                recorded: recorded.to_string(),
                found: found.to_string(),
            });
        }
        let joined = recorded.joined(&found);
        if joined != recorded {
            self.write(name, &joined, true)?;
        }
        Ok(joined)
    }

    /// What a name led to when it was used first; `None` if it was not.
    ///
    /// # Errors
    /// Fails if the record is there and cannot be read: that is not the same as none.
    pub fn recorded(&self, name: &str) -> Result<Option<ClusterIdentity>, TargetError> {
        let path = self.file(name);
        let unusable = |reason: String| TargetError::Failed {
            doing: format!("read which cluster `{name}` was"),
            reason: format!(
                "{reason}; look at {}, and run `pilotage clusters forget {name}` if it is spoilt",
                path.display()
            ),
        };
        let length = match fs::metadata(&path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(error.to_string())),
        };
        if length > SIZE_LIMIT_BYTES {
            return Err(unusable("the record is too long".to_owned()));
        }
        let bytes = fs::read(&path).map_err(|error| unusable(error.to_string()))?;
        let record: Record = serde_json::from_slice(&bytes)
            .map_err(|_| unusable("the record is not what was written".to_owned()))?;
        if record.form != FORM || record.name != name {
            return Err(unusable("the record is another one's, or of a later version".to_owned()));
        }
        Ok(Some(record.identity))
    }

    /// Forgets what a name led to. Says whether there was anything.
    ///
    /// # Errors
    /// Fails if the record cannot be removed.
    pub fn forget(&self, name: &str) -> Result<bool, TargetError> {
        match fs::remove_file(self.file(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.failed(name, &error)),
        }
    }

    /// Writes a record as a whole. Unless it may `replace`, one that is there stays.
    fn write(&self, name: &str, identity: &ClusterIdentity, replace: bool) -> Result<(), TargetError> {
        let record = Record { form: FORM, name: name.to_owned(), identity: identity.clone() };
        let written = serde_json::to_vec_pretty(&record).map_err(io::Error::from).and_then(|bytes| {
            fs::create_dir_all(&self.folder)?;
            let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            let kept = match replace {
                true => file.persist(self.file(name)),
                false => file.persist_noclobber(self.file(name)),
            };
            match kept {
                Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => return Err(error.error),
                _ => {}
            }
            File::open(&self.folder)?.sync_all()
        });
        written.map_err(|error| self.failed(name, &error))
    }

    fn failed(&self, name: &str, error: &io::Error) -> TargetError {
        if error.kind() == io::ErrorKind::StorageFull {
            return TargetError::DiskFull { path: self.folder.display().to_string() };
        }
        TargetError::Failed {
            doing: format!("record which cluster `{name}` is, in {}", self.folder.display()),
            reason: error.to_string(),
        }
    }

    /// Contexts have names that no file can have.
    fn file(&self, name: &str) -> PathBuf {
        let digest: String =
            Sha256::digest(name.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        self.folder.join(format!("{digest}.json"))
    }
}
