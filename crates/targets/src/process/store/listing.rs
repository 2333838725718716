//! What a release consists of, and the digest of it.
//!
//! The digest is the SHA-256 of the bytes below, so that anybody can compute it again:
//!
//! - the 20 bytes `pilotage release v1\n`;
//! - then for each entry, in rising order of the path's bytes: the path, one byte for the type (`d` folder, `f` file,
//!   `l` symbolic link), and
//!   - for a file: one byte `1` if its owner may execute it, else `0`; its length; the 32 bytes of its SHA-256;
//!   - for a link: its target.
//!
//! Lengths are 8 bytes, big-endian; path and target are preceded by theirs. Paths are relative and separated by `/`; the
//! root is not listed. Owner, times and other permissions are not part of a release.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use pilotage_spec::Digest;
use sha2::{Digest as _, Sha256};

use super::source::ArtifactError;

const HEADER: &[u8] = b"pilotage release v1\n";
const MAX_LINKS: usize = 40;

/// One file, folder or symbolic link of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A folder.
    Folder,
    /// A file.
    File {
        /// Whether its owner may execute it.
        executable: bool,
        /// Its length in bytes.
        length: u64,
        /// The SHA-256 of its content.
        sha256: [u8; 32],
    },
    /// A symbolic link and its target.
    Link(Vec<u8>),
}

/// Everything a release consists of, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    entries: BTreeMap<Vec<u8>, Entry>,
}

impl Listing {
    /// Adds an entry, and the folders above it that are not there yet. A second entry at the same path is refused, and
    /// so is one below something that is not a folder.
    pub fn add(&mut self, path: &[u8], entry: Entry) -> Result<(), ArtifactError> {
        for (index, _) in path.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
            let above = self.entries.entry(path[..index].to_vec()).or_insert(Entry::Folder);
            if *above != Entry::Folder {
                return Err(ArtifactError::at(path, "lies below something that is not a folder"));
            }
        }
        match self.entries.entry(path.to_vec()) {
            Slot::Vacant(slot) => {
                slot.insert(entry);
                Ok(())
            }
            Slot::Occupied(slot) if *slot.get() == Entry::Folder && entry == Entry::Folder => Ok(()),
            Slot::Occupied(_) => Err(ArtifactError::at(path, "appears twice; pack the archive anew")),
        }
    }

    /// Replaces what is known of an entry that was added before.
    pub fn replace(&mut self, path: &[u8], entry: Entry) {
        self.entries.insert(path.to_vec(), entry);
    }

    /// The entry at a path.
    pub fn get(&self, path: &[u8]) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no file in it.
    pub fn has_no_file(&self) -> bool {
        !self.entries.values().any(|entry| matches!(entry, Entry::File { .. }))
    }

    /// All entries in the order of their paths.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&[u8], &Entry)> {
        self.entries.iter().map(|(path, entry)| (path.as_slice(), entry))
    }

    /// Refuses links that lead out of the release or in a circle.
    pub fn check_links(&self) -> Result<(), ArtifactError> {
        let links = self.iter().filter(|(_, entry)| matches!(entry, Entry::Link(_)));
        for (path, _) in links {
            self.resolve(path)?;
        }
        Ok(())
    }

    /// Follows a path as the kernel would, link by link.
    fn resolve(&self, path: &[u8]) -> Result<(), ArtifactError> {
        let mut resolved: Vec<Vec<u8>> = Vec::new();
        let mut open = segments(path);
        let mut followed = 0;
        while let Some(segment) = open.pop() {
            match segment.as_slice() {
                b"" | b"." => continue,
                b".." => {
                    if resolved.pop().is_none() {
                        return Err(ArtifactError::at(path, LEAVES));
                    }
                    continue;
                }
                _ => resolved.push(segment),
            }
            if let Some(Entry::Link(target)) = self.entries.get(&resolved.join(&b'/')) {
                if target.starts_with(b"/") {
                    return Err(ArtifactError::at(path, LEAVES));
                }
                followed += 1;
                if followed > MAX_LINKS {
                    return Err(ArtifactError::at(
                        path,
                        "is a symbolic link that leads in a circle; remove it",
                    ));
                }
                resolved.pop();
                open.extend(segments(target));
            }
        }
        Ok(())
    }

    /// The digest described at the head of this module.
    pub fn digest(&self) -> Digest {
        let mut hash = Sha256::new();
        hash.update(HEADER);
        for (path, entry) in self.iter() {
            update_with_length(&mut hash, path);
            match entry {
                Entry::Folder => hash.update(b"d"),
                Entry::File { executable, length, sha256 } => {
                    hash.update(if *executable { b"f1" } else { b"f0" });
                    hash.update(length.to_be_bytes());
                    hash.update(sha256);
                }
                Entry::Link(target) => {
                    hash.update(b"l");
                    update_with_length(&mut hash, target);
                }
            }
        }
        Digest::from_bytes(hash.finalize().into())
    }
}

const LEAVES: &str =
    "is a symbolic link that leads out of the artifact; put what it points to into the artifact";

/// The segments of a path, last one first.
fn segments(path: &[u8]) -> Vec<Vec<u8>> {
    path.split(|byte| *byte == b'/').rev().map(<[u8]>::to_vec).collect()
}

fn update_with_length(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &[u8]) -> Entry {
        Entry::File {
            executable: false,
            length: content.len() as u64,
            sha256: Sha256::digest(content).into(),
        }
    }

    fn listing(entries: &[(&str, Entry)]) -> Result<Listing, ArtifactError> {
        let mut listing = Listing::default();
        for (path, entry) in entries {
            listing.add(path.as_bytes(), entry.clone())?;
        }
        listing.check_links()?;
        Ok(listing)
    }

    fn link(target: &str) -> Entry {
        Entry::Link(target.as_bytes().to_vec())
    }

    /// Computed apart from this code, by the description at the head of the module.
    #[test]
    fn the_digest_is_that_of_the_documented_bytes() {
        let listing = listing(&[("a/b", file(b"hello")), ("c", link("a/b"))]).unwrap();
        let mut bytes = b"pilotage release v1\n".to_vec();
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 1]);
        bytes.extend(b"ad");
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 3]);
        bytes.extend(b"a/bf0");
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 5]);
        bytes.extend(Sha256::digest(b"hello"));
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 1]);
        bytes.extend(b"cl");
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 3]);
        bytes.extend(b"a/b");
        assert_eq!(listing.digest(), Digest::from_bytes(Sha256::digest(bytes).into()));
    }

    #[test]
    fn links_may_not_leave_in_any_disguise() {
        assert!(listing(&[("a/b/inside", link("../../c"))]).is_ok());
        assert!(listing(&[("a", link("/etc/passwd"))]).is_err());
        assert!(listing(&[("a", link("../x"))]).is_err());
        // Through `s`, which is the folder `x`, two steps up are one too many.
        let entries = [("x/y/z/f", file(b"")), ("s", link("x")), ("out", link("s/../../etc"))];
        assert!(listing(&entries).is_err());
    }

    #[test]
    fn circles_and_doubles_are_refused() {
        assert!(listing(&[("a", link("b")), ("b", link("a"))]).is_err());
        assert!(listing(&[("a", file(b"1")), ("a", file(b"2"))]).is_err());
        assert!(listing(&[("a", link("b")), ("a/x", file(b"2"))]).is_err());
    }
}
