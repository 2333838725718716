//! The append-only, tamper-evident event store.
//!
//! One SQLite file holds every event. One thread writes, in groups, and answers after the commit has reached the disk;
//! readers have connections of their own. Each entry is a leaf of a Merkle tree (RFC 6962) whose root is stored in the
//! same transaction, so that [`Reader::verify`] finds whatever was changed afterwards. Leases with fencing tokens lie in
//! the same file, so that an append can be refused in the very transaction in which its lease was lost.
//!
//! Start reading at [`Journal`]. The parts: `append` (what may be asked), `record` and `lease` (what is done in a
//! transaction), `writer` (the thread), `reader`, `verify`, `backup`, `store` (the file), `leaf` and `merkle` (hashes).

mod append;
mod backup;
mod event;
mod journal;
mod leaf;
mod lease;
mod merkle;
mod name;
mod number;
mod random;
mod reader;
mod record;
mod store;
mod verify;
mod writer;

pub use append::{
    ACTOR_LIMIT_BYTES, Append, AppendError, EVENTS_LIMIT, Expected, PAYLOAD_LIMIT_BYTES, Redact,
};
pub use backup::{BackupError, BackupReport};
pub use event::{Event, EventId, NewEvent};
pub use journal::Journal;
pub use lease::{Holder, Lease, LeaseError};
pub use name::{EventKind, LeaseName, StreamId};
pub use reader::{ReadError, Reader};
pub use store::{OpenError, StorageError};
pub use verify::{Finding, Verified, VerifyError};

#[cfg(test)]
mod tests;
