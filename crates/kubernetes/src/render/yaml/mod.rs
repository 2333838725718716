//! YAML as `kubectl` reads it, with limits: several documents in a file, anchors, merge keys, and the scalars of YAML 1.1.
//! A key that is written twice is refused, where `kubectl` silently takes the last one.

mod compose;
mod mapping;
mod scalar;

pub(super) use compose::{Document, Place, read_stream};

#[cfg(test)]
mod tests;
