//! Rendered objects, kept by their digest: what was deployed can be deployed again when the files, or the programs that made
//! it, have long changed.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pilotage_spec::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::RenderError;
use super::sandbox;

/// The longest file, in bytes: objects are a little longer as JSON than as the YAML they were.
const SIZE_LIMIT_BYTES: u64 = 64 << 20;

/// A sandbox of this age has no rendering in it any more.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

/// Where rendered objects are kept. Everything in it is for its owner alone: objects may hold Secrets.
#[derive(Debug, Clone)]
pub(super) struct Store {
    folder: PathBuf,
}

/// What became of inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// The objects.
    pub(super) objects: Digest,
    /// What was said of them.
    pub(super) warnings: Vec<String>,
}

impl Store {
    /// The store in a folder, which is made if it is missing. What renderings that were cut short have left is removed.
    pub(super) fn open(folder: &Path) -> Result<Self, RenderError> {
        let store = Self { folder: folder.to_owned() };
        for folder in [store.folder.clone(), store.folder.join("objects"), store.folder.join("inputs")] {
            let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
            made.map_err(|error| failed(&folder, &error))?;
        }
        store.sweep().map_err(|error| failed(folder, &error))?;
        Ok(store)
    }

    fn sweep(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let is_ours = entry.file_name().as_encoded_bytes().starts_with(sandbox::PREFIX.as_bytes());
            let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
            if is_ours && age > LEFT_BEHIND {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Where sandboxes are made.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps objects, as a list that `kubectl` takes too.
    pub(super) fn keep(&self, objects: &[Value]) -> Result<Digest, RenderError> {
        let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
        let mut bytes =
            serde_json::to_vec_pretty(&list).map_err(|error| failed(&self.folder, &error.into()))?;
        bytes.push(b'\n');
        let digest = digest_of(&bytes);
        let path = self.objects(&digest);
        if self.load(&digest).is_err() {
            self.write(&path, &bytes).map_err(|error| failed(&path, &error))?;
        }
        Ok(digest)
    }

    /// The objects with a digest.
    ///
    /// # Errors
    /// Fails if they are not there, or are not what was kept.
    pub(super) fn load(&self, digest: &Digest) -> Result<Vec<Value>, RenderError> {
        let path = self.objects(digest);
        let changed = || RenderError::Store {
            path: path.display().to_string(),
            reason: "they are not what was kept; remove the file, and deploy the version anew".to_owned(),
        };
        let bytes = read(&path).map_err(|error| failed(&path, &error))?;
        if digest_of(&bytes) != *digest {
            return Err(changed());
        }
        let mut list: Value = serde_json::from_slice(&bytes).map_err(|_| changed())?;
        match list.get_mut("items").map(Value::take) {
            Some(Value::Array(objects)) => Ok(objects),
            _ => Err(changed()),
        }
    }

    /// Notes what became of inputs.
    pub(super) fn note(&self, inputs: &Digest, outcome: &Outcome) -> Result<(), RenderError> {
        let path = self.inputs(inputs);
        let bytes = serde_json::to_vec(outcome).map_err(|error| failed(&path, &error.into()))?;
        self.write(&path, &bytes).map_err(|error| failed(&path, &error))
    }

    /// What became of inputs, if that is known and still there.
    pub(super) fn recall(&self, inputs: &Digest) -> Option<(Outcome, Vec<Value>)> {
        let outcome: Outcome = serde_json::from_slice(&read(&self.inputs(inputs)).ok()?).ok()?;
        let objects = self.load(&outcome.objects).ok()?;
        Some((outcome, objects))
    }

    fn objects(&self, digest: &Digest) -> PathBuf {
        self.folder.join("objects").join(format!("{}.json", digest.hex()))
    }

    fn inputs(&self, digest: &Digest) -> PathBuf {
        self.folder.join("inputs").join(format!("{}.json", digest.hex()))
    }

    /// Either the whole file is there, or none.
    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        File::open(path.parent().unwrap_or(&self.folder))?.sync_all()
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let length = fs::metadata(path)?.len();
    if length > SIZE_LIMIT_BYTES {
        return Err(io::Error::from(io::ErrorKind::FileTooLarge));
    }
    fs::read(path)
}

fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::digest(bytes).into())
}

fn failed(path: &Path, error: &io::Error) -> RenderError {
    let reason = match error.kind() {
        io::ErrorKind::NotFound => "they are gone; deploy the version anew".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full; free some space".to_owned(),
        _ => error.to_string(),
    };
    RenderError::Store { path: path.display().to_string(), reason }
}
