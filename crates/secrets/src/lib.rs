//! Where secrets are read, and how they are kept out of everything that is written.
//!
//! [`SecretReader`] follows a reference ([`pilotage_spec::SecretSource`]) to a [`Secret`], which can be shown by nothing: it has no
//! `Display`, no `Serialize`, and is wiped from memory when it is let go of. What was read is [`Known`] from then on: texts
//! that pass it, or a [`Masker`], hold it no more, in none of the usual encodings.
//!
//! What must never happen here: a value in an error, an argument of a process, a log or a file.

mod age;
mod base64;
mod command;
mod error;
mod file;
mod known;
mod kubernetes;
mod masker;
mod reader;
mod secret;
mod vault;

pub use age::AgeError;
pub use command::CommandError;
pub use error::{SecretError, SecretFault};
pub use file::FileError;
pub use known::Known;
pub use kubernetes::KubernetesError;
pub use masker::{MASK, Masker, SHORTEST_BYTES, Stream};
pub use reader::SecretReader;
pub use secret::{LIMIT_BYTES, Secret};
pub use vault::VaultError;
