//! Who may do what, with the real server: every route, every kind of credential, and what becomes of wrong ones.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it cannot go on")]

mod approvals;
#[path = "../../../access/tests/issuer/mod.rs"]
mod issuer;
mod network;
mod routes;
mod sign_in;
mod site;
mod tokens;
#[path = "../world/mod.rs"]
mod world;
