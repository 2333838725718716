//! A Docker Swarm: a service for each version, whose tasks are the instances.
//!
//! The virtual addresses of Swarm share requests as they like. Each task therefore publishes a port of its own node, and the
//! edge of this machine sends users there.

mod board;
mod ensure;
mod poll;
mod probing;
mod remove;
mod scale;
mod secrets;
mod service;
mod shared;
mod slot;
mod target;

pub use target::SwarmTarget;
