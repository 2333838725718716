//! The process: configuration, control socket, table on disk, the publishing of tables to the workers, and the hand-over from
//! one process to the next.

mod admin;
mod admin_socket;
mod beginning;
mod bind;
mod config;
mod connection;
mod control;
mod cookie_key;
mod error;
mod handover;
mod listeners;
mod notify;
mod outdated;
mod phase;
mod publish;
mod replace;
mod run;
mod signals;
mod socket;
mod start;
mod state;

pub use config::{EdgeConfig, Limits};
pub use error::EdgeError;
pub use run::run;
