//! Processes on this machine: a store of releases, and a shim for each instance.
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
mod tree;

pub use config::ProcessConfig;
pub(crate) use files::{file_error, now, private_folder, read_json, write_json_durably};
pub(crate) use shared::create_folders;
pub use shim::{LogLimits, pass_listener, run_shim};
pub(crate) use shim::{ReservedPort, ShimClient, ShimRequest, ShimSpec};
pub(crate) use start::start_shim;
pub use target::ProcessTarget;
pub use tasks::Tasks;
