//! The command target with real programs: one that keeps the whole contract, and many that break it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

mod answers;
mod conformance;
mod effects;
mod looks;
mod running;
mod schema;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
mod world;
