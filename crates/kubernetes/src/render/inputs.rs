//! The files that rendering needs, read once: what is digested is what the program sees.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pilotage_spec::Digest;
use sha2::{Digest as _, Sha256};

use super::RenderError;
use super::paths::ProjectFolder;

/// The most files of one rendering.
const FILE_LIMIT: usize = 2_000;
/// All of them together, in bytes.
const SIZE_LIMIT_BYTES: usize = 16 << 20;
/// The deepest folder.
const DEPTH_LIMIT: usize = 32;
/// Folders that belong to other programs.
const LEFT_OUT: [&str; 2] = [".git", ".pilotage"];

/// Files by their path in the project's folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Inputs {
    files: BTreeMap<PathBuf, Vec<u8>>,
    bytes: usize,
}

impl Inputs {
    /// Takes one file.
    pub(super) fn file(&mut self, project: &ProjectFolder, path: &Path) -> Result<(), RenderError> {
        if self.files.contains_key(path) {
            return Ok(());
        }
        if self.files.len() >= FILE_LIMIT {
            let reason = format!(
                "is one of more than {FILE_LIMIT} files that would have to be taken along; give the manifests a folder of their \
                 own"
            );
            return Err(RenderError::input(path.display(), reason));
        }
        let content = project.read(path, SIZE_LIMIT_BYTES - self.bytes)?;
        self.bytes += content.len();
        self.files.insert(path.to_owned(), content);
        Ok(())
    }

    /// Takes all files of a folder, and of those in it.
    pub(super) fn folder(&mut self, project: &ProjectFolder, path: &Path) -> Result<(), RenderError> {
        self.folder_within(project, path, DEPTH_LIMIT)
    }

    fn folder_within(
        &mut self,
        project: &ProjectFolder,
        path: &Path,
        depth: usize,
    ) -> Result<(), RenderError> {
        let refused = |reason: String| RenderError::input(path.display(), reason);
        if depth == 0 {
            return Err(refused(format!("lies more than {DEPTH_LIMIT} folders deep; make it flatter")));
        }
        let found = project.locate(path)?;
        let entries = fs::read_dir(found)
            .map_err(|error| refused(format!("is no folder that can be read: {error}")))?;
        let mut names: Vec<(std::ffi::OsString, fs::FileType)> = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| refused(format!("cannot be read: {error}")))?;
            let kind = entry.file_type().map_err(|error| refused(format!("cannot be read: {error}")))?;
            names.push((entry.file_name(), kind));
        }
        names.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, kind) in names {
            let inner = path.join(&name);
            if kind.is_dir() {
                if !LEFT_OUT.iter().any(|left_out| name == *left_out) {
                    self.folder_within(project, &inner, depth - 1)?;
                }
            } else if kind.is_symlink() && project.locate(&inner)?.is_dir() {
                let reason = "is a link to a folder, which could go round in circles; name the folder itself";
                return Err(RenderError::input(inner.display(), reason));
            } else {
                self.file(project, &inner)?;
            }
        }
        Ok(())
    }

    /// The text of a file that was taken.
    pub(super) fn text(&self, path: &Path) -> Option<Result<&str, RenderError>> {
        let content = self.files.get(path)?;
        let text = std::str::from_utf8(content);
        Some(text.map_err(|_| RenderError::input(path.display(), "is not UTF-8 text; save it as UTF-8")))
    }

    /// Whether a file was taken.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.files.contains_key(path)
    }

    /// Writes all files below a folder.
    pub(super) fn write_to(&self, folder: &Path) -> std::io::Result<()> {
        for (path, content) in &self.files {
            let path = folder.join(path);
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(path, content)?;
        }
        Ok(())
    }

    /// A digest over names and contents, and over `words`, which say what is done with them.
    pub(super) fn digest(&self, words: &[&str]) -> Digest {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            // With its length, so that no two lists of parts are the same text.
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(&(words.len() as u64).to_be_bytes());
        words.iter().for_each(|word| part(word.as_bytes()));
        for (path, content) in &self.files {
            part(path.as_os_str().as_encoded_bytes());
            part(content);
        }
        Digest::from_bytes(hash.finalize().into())
    }
}
