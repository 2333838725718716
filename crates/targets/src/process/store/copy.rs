//! The two things that are done with an artifact: listing it, and copying it.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::listing::{Entry, Listing};
use super::source::{Allowance, ArtifactError, Sink};

const CHUNK: usize = 128 * 1024;
/// Up to so many files are made durable one by one; beyond, the whole file system at once is cheaper.
const SYNC_EACH: usize = 64;

/// Lists an artifact, and copies it if there is a folder to copy to.
#[derive(Default)]
pub(super) struct Intake {
    listing: Listing,
    allowance: Allowance,
    folder: Option<PathBuf>,
}

impl Intake {
    /// Only lists.
    pub(super) fn list() -> Self {
        Self::default()
    }

    /// Copies into an empty folder.
    pub(super) fn copy_to(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()), ..Self::default() }
    }

    /// What was taken in, after all of it has been checked.
    pub(super) fn finish(self) -> Result<Listing, ArtifactError> {
        if self.listing.has_no_file() {
            return Err(ArtifactError::Refused(
                "holds no file; build it first, or correct `artifact`".into(),
            ));
        }
        self.listing.check_links()?;
        if let Some(folder) = &self.folder {
            seal(folder, &self.listing).map_err(ArtifactError::Write)?;
        }
        Ok(self.listing)
    }

    fn destination(&self, path: &[u8]) -> Option<PathBuf> {
        Some(self.folder.as_ref()?.join(OsStr::from_bytes(path)))
    }
}

impl Sink for Intake {
    fn folder(&mut self, path: &[u8]) -> Result<(), ArtifactError> {
        self.allowance.entry()?;
        self.listing.add(path, Entry::Folder)?;
        let Some(destination) = self.destination(path) else { return Ok(()) };
        fs::create_dir_all(destination).map_err(ArtifactError::Write)
    }

    fn file(&mut self, path: &[u8], executable: bool, content: &mut dyn Read) -> Result<(), ArtifactError> {
        self.allowance.entry()?;
        // Listed before it is written, so that nothing is written below a link.
        let unknown = Entry::File { executable, length: 0, sha256: [0; 32] };
        self.listing.add(path, unknown)?;
        let mut output = match self.destination(path) {
            Some(destination) => Some(create(&destination).map_err(ArtifactError::Write)?),
            None => None,
        };
        let (length, sha256) = transfer(content, output.as_mut(), &mut self.allowance)?;
        self.listing.replace(path, Entry::File { executable, length, sha256 });
        Ok(())
    }

    fn link(&mut self, path: &[u8], target: &[u8]) -> Result<(), ArtifactError> {
        self.allowance.entry()?;
        self.listing.add(path, Entry::Link(target.to_vec()))?;
        let Some(destination) = self.destination(path) else { return Ok(()) };
        make_parent(&destination)
            .and_then(|()| std::os::unix::fs::symlink(OsStr::from_bytes(target), destination))
            .map_err(ArtifactError::Write)
    }

    fn same_file(&mut self, path: &[u8], first: &[u8]) -> Result<(), ArtifactError> {
        self.allowance.entry()?;
        let Some(entry @ Entry::File { length, .. }) = self.listing.get(first).cloned() else {
            return Err(ArtifactError::at(path, "is a hard link to nothing in the archive; pack it anew"));
        };
        self.allowance.bytes(length)?;
        self.listing.add(path, entry)?;
        let (Some(from), Some(to)) = (self.destination(first), self.destination(path)) else { return Ok(()) };
        make_parent(&to).and_then(|()| fs::copy(from, to)).map(|_| ()).map_err(ArtifactError::Write)
    }
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn create(path: &Path) -> io::Result<File> {
    make_parent(path)?;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

fn transfer(
    content: &mut dyn Read,
    mut output: Option<&mut File>,
    allowance: &mut Allowance,
) -> Result<(u64, [u8; 32]), ArtifactError> {
    let mut hash = Sha256::new();
    let mut length = 0;
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = match content.read(&mut buffer) {
            Ok(0) => return Ok((length, hash.finalize().into())),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(ArtifactError::Read(error)),
        };
        allowance.bytes(count as u64)?;
        length += count as u64;
        hash.update(&buffer[..count]);
        if let Some(file) = output.as_mut() {
            file.write_all(&buffer[..count]).map_err(ArtifactError::Write)?;
        }
    }
}

/// Makes the copy read-only and durable.
fn seal(folder: &Path, listing: &Listing) -> io::Result<()> {
    let each = listing.len() <= SYNC_EACH;
    // From the leaves to the root: a folder that is read-only cannot be worked in any more.
    for (path, entry) in listing.iter().rev() {
        let path = folder.join(OsStr::from_bytes(path));
        let mode = match entry {
            Entry::Link(_) => continue,
            Entry::File { executable: false, .. } => 0o444,
            Entry::Folder | Entry::File { executable: true, .. } => 0o555,
        };
        if each {
            File::open(&path)?.sync_all()?;
        }
        fs::set_permissions(&path, Permissions::from_mode(mode))?;
    }
    let root = File::open(folder)?;
    fs::set_permissions(folder, Permissions::from_mode(0o555))?;
    if each { root.sync_all() } else { Ok(rustix::fs::syncfs(&root)?) }
}
