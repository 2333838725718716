//! The content-addressed store of releases: `store/<64 hexadecimal digits>/`, read-only.
//!
//! An artifact is read twice: once to learn its digest, and, if that is not there yet, once to copy it. What is stored
//! is named after what was copied, so a source that changes in between is never stored under a wrong name.

mod archive;
mod copy;
mod folder;
mod listing;
mod releases;
mod source;
#[cfg(test)]
mod tests;

pub use releases::Store;
