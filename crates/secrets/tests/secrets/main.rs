//! Secrets are read where the file says, and nothing of them gets past the masker.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken helper should fail its test"
)]

mod encodings;
mod kubernetes;
mod masking;
mod replay;
mod sources;
mod support;
mod vault;
