//! What verification finds.

use pilotage_spec::Digest;
use thiserror::Error;

use crate::store::StorageError;

/// An intact journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The number of its entries.
    pub size: u64,
    /// The root of the Merkle tree over them (RFC 6962).
    pub root: Digest,
}

/// Why a journal was not verified.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// It is not as it was written.
    #[error("{}{}", join(.findings), and_more(.more))]
    Differs {
        /// What is wrong, in the order of the entries; at least one thing.
        findings: Vec<Finding>,
        /// How much else is wrong in the same ways.
        more: u64,
    },
    /// It could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

fn join(findings: &[Finding]) -> String {
    findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("; ")
}

fn and_more(more: &u64) -> String {
    if *more == 0 { String::new() } else { format!("; and {more} more") }
}

/// One thing that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Finding {
    /// SQLite's own check failed.
    #[error("the database file is damaged: {reason}")]
    Database {
        /// What SQLite says.
        reason: String,
    },
    /// A table, index, trigger or view is not the journal's.
    #[error("`{name}` is not as the journal defines it: it was added, changed or removed")]
    Schema {
        /// Its name.
        name: String,
    },
    /// The head makes no sense in itself.
    #[error("the head was changed: {reason}")]
    Head {
        /// What is wrong.
        reason: String,
    },
    /// An entry does not have its hash.
    #[error("entry {seq} ({kind} of {stream}) was changed after it was written")]
    Changed {
        /// The entry.
        seq: u64,
        /// Its kind, as it is now.
        kind: String,
        /// Its stream, as it is now.
        stream: String,
    },
    /// An entry's columns are not of the right form.
    #[error("entry {seq} was changed after it was written: {reason}")]
    Unreadable {
        /// The entry's `seq` column.
        seq: i64,
        /// What is wrong.
        reason: String,
    },
    /// Entries are not there.
    #[error("{} missing", entries(.first, .last))]
    Missing {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// Entries were added past the head.
    #[error("{} not counted by the head: added behind its back", entries(.first, .last))]
    Added {
        /// The first of them.
        first: u64,
        /// The last of them.
        last: u64,
    },
    /// An entry does not continue its stream.
    #[error("entry {seq} is version {found} of {stream}, but {expected} comes next")]
    Version {
        /// The entry.
        seq: u64,
        /// The stream.
        stream: String,
        /// The version that comes next.
        expected: u64,
        /// The entry's version.
        found: u64,
    },
    /// An entry is not later than the one before.
    #[error("entry {seq} is not later than the entry before it")]
    Time {
        /// The entry.
        seq: u64,
    },
    /// The entries fit their hashes, but these are not the hashes that were written.
    #[error("{} not what was recorded: their hashes do not lead to the head, so some were forged", entries(.first, .last))]
    Forged {
        /// The first entry of the subtree in which it happened.
        first: u64,
        /// The last entry of it.
        last: u64,
    },
}

fn entries(first: &u64, last: &u64) -> String {
    match last.saturating_sub(*first) {
        0 => format!("entry {first} is"),
        1 => format!("entries {first} and {last} are"),
        _ => format!("entries {first} to {last} are"),
    }
}
