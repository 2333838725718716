//! Secrets that a container has as files.
//!
//! On this machine they lie in a folder of memory that is mounted into the container. Another machine's engine takes them
//! over its API into a volume of the container's own, before it is started.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bollard::body_full;
use bollard::query_parameters::UploadToContainerOptionsBuilder;
use pilotage_secrets::Secret;
use pilotage_targets::TargetError;

use super::environment::SECRETS_FOLDER;
use crate::engine::Engine;
use crate::names::short_digest;

/// The container's user is not known here: every process of the container may read them, and nothing outside of it, because
/// the folder above is ours alone.
const FILE_MODE: u32 = 0o444;
const FOLDER_MODE: u32 = 0o755;

/// Where the secrets of an instance are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretPlace {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a volume of the container.
    Volume,
}

/// The folder of an instance below that of all, whose mode keeps others out.
pub(crate) fn folder(of_all: &Path, instance: &str) -> PathBuf {
    of_all.join(short_digest(instance.as_bytes()))
}

/// Writes them into a folder; those that are as they are to be are left alone. Says which are new.
pub(crate) fn write(folder: &Path, files: &BTreeMap<String, Secret>) -> io::Result<Vec<String>> {
    if let Some(of_all) = folder.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(of_all)?;
    }
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
    let mut written = Vec::new();
    for (name, secret) in files {
        let path = folder.join(name);
        if fs::read(&path).is_ok_and(|bytes| Secret::new(bytes) == *secret) {
            continue;
        }
        replace(&path, secret.expose())?;
        written.push(name.clone());
    }
    Ok(written)
}

/// Whoever reads it sees the old bytes or the new ones.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".part");
    let temporary = PathBuf::from(temporary);
    let _ = fs::remove_file(&temporary);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&temporary)?;
    let written = file.write_all(bytes).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Removes the folder of an instance.
pub(crate) fn remove(folder: &Path) {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(folder = %folder.display(), %error, "secrets of an instance that has ended could not be removed");
        }
        _ => {}
    }
}

/// Hands them to the engine, for a container that has a volume for them.
pub(crate) async fn upload(
    engine: &Engine,
    container: &str,
    files: &BTreeMap<String, Secret>,
) -> Result<(), TargetError> {
    let failed =
        |reason: String| TargetError::Failed { doing: "hand secrets to a container".to_owned(), reason };
    let archive = archive(files).map_err(|error| failed(error.to_string()))?;
    let options = UploadToContainerOptionsBuilder::default().path(SECRETS_FOLDER).build();
    engine
        .docker()
        .upload_to_container(container, Some(options), body_full(archive.into()))
        .await
        .map_err(|error| engine.failed("hand secrets to a container", &error))
}

fn archive(files: &BTreeMap<String, Secret>) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, secret) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(secret.expose().len() as u64);
        header.set_mode(FILE_MODE);
        archive.append_data(&mut header, name, secret.expose())?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_what_has_changed_is_written_and_nobody_else_gets_in() {
        let run = tempfile::tempdir().unwrap();
        let of_all = run.path().join("secrets");
        let own = folder(&of_all, "shop-api-1");
        let files = |value: &str| BTreeMap::from([("KEY".to_owned(), Secret::new(value))]);
        assert_eq!(write(&own, &files("one")).unwrap(), ["KEY"]);
        assert!(write(&own, &files("one")).unwrap().is_empty());
        assert_eq!(write(&own, &files("two")).unwrap(), ["KEY"]);
        assert_eq!(fs::read(own.join("KEY")).unwrap(), b"two");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&of_all), mode(&own), mode(&own.join("KEY"))), (0o700, 0o755, 0o444));
        remove(&own);
        assert!(!own.exists());
    }

    #[test]
    fn an_archive_holds_each_secret_for_reading_alone() {
        let bytes = archive(&BTreeMap::from([("KEY".to_owned(), Secret::new("hunter22"))])).unwrap();
        let mut archive = tar::Archive::new(bytes.as_slice());
        let entry = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!((entry.path().unwrap().to_str(), entry.header().mode().unwrap()), (Some("KEY"), 0o444));
    }
}
