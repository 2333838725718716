//! Who may do what, as the file says now.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use pilotage_access::Directory;
use pilotage_spec::{PrincipalName, ProjectName};

use super::owners;
use crate::read_project;

/// A file that was changed this lately may change again without its times telling.
const TELLING_AFTER: Duration = Duration::from_secs(2);

/// What the file says of who may do what.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    pub(crate) directory: Directory,
    /// The project's name; `None` while nobody knows it.
    pub(crate) project: Option<ProjectName>,
}

/// Reads the file when it has changed. While it cannot be read, what it said last holds.
pub(super) struct Directories {
    file: PathBuf,
    owners: Vec<PrincipalName>,
    held: Mutex<Held>,
}

struct Held {
    fingerprint: Option<Fingerprint>,
    current: Current,
}

/// What tells a file from what it was before.
#[derive(Debug, PartialEq, Eq)]
struct Fingerprint {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Directories {
    pub(super) fn new(file: PathBuf) -> Self {
        let owners = owners();
        let current = Current { directory: Directory::unreadable(owners.clone()), project: None };
        Self { file, owners, held: Mutex::new(Held { fingerprint: None, current }) }
    }

    /// Looks at the file, and reads it if it has changed. Blocks for as long as the disk takes.
    pub(super) fn current(&self) -> Current {
        // What a panicking holder leaves behind is what was read before.
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = fingerprint(&self.file);
        if seen.is_some() && seen == held.fingerprint {
            return held.current.clone();
        }
        held.fingerprint = None;
        if let Ok(project) = read_project(&self.file) {
            let directory = Directory::of(project.access.as_ref(), self.owners.clone());
            held.current = Current { directory, project: Some(project.name) };
            held.fingerprint = seen;
        }
        held.current.clone()
    }
}

/// `None` for a file that is not there, or whose next change may not be seen.
fn fingerprint(file: &Path) -> Option<Fingerprint> {
    let metadata: Metadata = std::fs::metadata(file).ok()?;
    let age = SystemTime::now().duration_since(metadata.modified().ok()?).ok()?;
    (age >= TELLING_AFTER).then(|| Fingerprint {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        changed: (metadata.ctime(), metadata.ctime_nsec()),
    })
}

#[cfg(test)]
mod tests {
    use pilotage_spec::Verb;

    use super::*;

    const OPEN: &str = "project: shop\nservices: { api: { run: [a], artifact: a } }\n";

    #[test]
    fn the_last_file_that_could_be_read_holds() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pilotage.yaml");
        let directories = Directories::new(file.clone());
        let owner = &directories.owners[0];
        let may = |verb: Verb| {
            let permissions = directories.current().directory.permissions(owner);
            permissions.is_some_and(|permissions| permissions.everywhere(verb))
        };
        assert!(may(Verb::Rollback) && !may(Verb::Deploy), "there is no file");
        std::fs::write(&file, OPEN).unwrap();
        assert!(may(Verb::Deploy));
        let viewer = format!(
            "{OPEN}access: {{ people: {{ {owner}: {{ roles: [viewer], logins: [\"unix:{owner}\"] }} }} }}\n"
        );
        std::fs::write(&file, viewer).unwrap();
        assert!(may(Verb::Read) && !may(Verb::Rollback));
        for broken in ["project: [", "", OPEN.trim_end_matches('\n').trim_end_matches('}')] {
            std::fs::write(&file, broken).unwrap();
            assert!(may(Verb::Read) && !may(Verb::Rollback) && !may(Verb::Deploy), "{broken}");
        }
        std::fs::remove_file(&file).unwrap();
        assert!(may(Verb::Read) && !may(Verb::Rollback));
    }
}
