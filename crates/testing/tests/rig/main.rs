//! What the rigs promise to the tests that stand on them.

#![allow(clippy::unwrap_used, reason = "a test whose world cannot be made has failed")]

mod alone;
mod disturbing;
mod docker;
mod kube;
mod support;
mod swarm;
