//! The journal as its users see it: real files, real processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod append;
mod backup;
mod crash;
mod golden;
mod leases;
mod model;
mod open;
mod support;
mod tamper;
mod tamper_file;
