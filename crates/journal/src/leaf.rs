//! The canonical bytes of an entry, and their hash: what the Merkle tree is built over.
//!
//! The payload goes in as a salted digest, so that it can be taken out later without breaking the tree.

use sha2::{Digest, Sha256};

use crate::merkle::{self, Hash};

/// Names the layout below; a different one gets a different name.
const LAYOUT: &[u8] = b"pilotage entry 1";

/// The fields of an entry as they are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) seq: u64,
    pub(crate) id: &'a str,
    pub(crate) time: i64,
    pub(crate) stream: &'a str,
    pub(crate) version: u64,
    pub(crate) kind: &'a str,
    pub(crate) actor: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) salt: &'a [u8],
}

impl Entry<'_> {
    /// The hash of the entry as a leaf: of the layout's name and each field, each preceded by its length as a 64-bit
    /// big-endian number. Numbers are 64-bit big-endian as well.
    pub(crate) fn leaf(&self) -> Hash {
        let mut bytes = Vec::with_capacity(320);
        for field in [
            LAYOUT,
            &self.seq.to_be_bytes(),
            self.id.as_bytes(),
            &self.time.to_be_bytes(),
            self.stream.as_bytes(),
            &self.version.to_be_bytes(),
            self.kind.as_bytes(),
            self.actor.as_bytes(),
            &self.payload_digest(),
        ] {
            bytes.extend_from_slice(&(field.len() as u64).to_be_bytes());
            bytes.extend_from_slice(field);
        }
        merkle::leaf_hash(&bytes)
    }

    fn payload_digest(&self) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(self.salt);
        hasher.update(self.payload.as_bytes());
        hasher.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: Entry<'static> = Entry {
        seq: 7,
        id: "00112233aabbccdd-7",
        time: 1_700_000_000_000_000,
        stream: "deployment/d1",
        version: 3,
        kind: "deployment.completed",
        actor: "ada",
        payload: "{\"ok\":true}",
        salt: &[9; 16],
    };

    /// Old journals must stay verifiable: this hash may never change for this layout. It was worked out independently
    /// of this code, with Python's hashlib.
    #[test]
    fn the_layout_is_fixed() {
        let hex: String = ENTRY.leaf().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "fb7d46ad3ab01b65c8d435674b3c6a0adadfdfb78a08f11c5375c3603cd9a53c");
    }

    #[test]
    fn every_field_counts() {
        let changed = [
            Entry { seq: 8, ..ENTRY },
            Entry { id: "00112233aabbccdd-8", ..ENTRY },
            Entry { time: ENTRY.time + 1, ..ENTRY },
            Entry { stream: "deployment/d2", ..ENTRY },
            Entry { version: 4, ..ENTRY },
            Entry { kind: "deployment.started", ..ENTRY },
            Entry { actor: "eve", ..ENTRY },
            Entry { payload: "{\"ok\":false}", ..ENTRY },
            Entry { salt: &[8; 16], ..ENTRY },
        ];
        for entry in changed {
            assert_ne!(entry.leaf(), ENTRY.leaf(), "{entry:?}");
        }
    }

    #[test]
    fn text_cannot_move_from_one_field_to_the_next() {
        let moved = Entry { kind: "deployment.completeda", actor: "da", ..ENTRY };
        assert_ne!(moved.leaf(), ENTRY.leaf());
    }
}
