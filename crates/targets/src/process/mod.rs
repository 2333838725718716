//! Processes on this machine: a store of releases, a shim for each instance, and an edge in front of them.
//!
//! Start reading at [`ProcessTarget`]; `shim` is the other process, which shares only the protocol with this one.

mod adopt;
mod config;
mod ensure;
mod files;
mod held;
mod history;
mod identity;
mod instance;
mod logs;
mod monitor;
mod observe;
mod orphan;
mod refresh;
mod registry;
mod retire;
mod secrets;
mod shared;
mod shim;
mod start;
mod store;
mod target;
mod tasks;
mod traffic;
mod tree;
mod workloads;

pub use config::ProcessConfig;
pub use shim::{LogLimits, pass_listener, run_shim};
pub use target::ProcessTarget;
