//! What the rigs promise to the tests that stand on them.

mod disturbing;
mod docker;
mod kube;
mod support;
mod swarm;
