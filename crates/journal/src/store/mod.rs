//! The SQLite file: where it may lie, how it is made, opened, migrated and locked.

mod error;
mod head;
mod lock;
mod open;
mod place;
mod schema;

pub use error::{OpenError, StorageError};
pub(crate) use head::{Head, StoredHead};
pub(crate) use lock::Lock;
pub(crate) use open::{connect_reader, open_reader, open_writer};
pub(crate) use place::{beside, flush_folder};
pub(crate) use schema::check as check_schema;
