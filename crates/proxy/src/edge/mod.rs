//! The process: configuration, control socket, table on disk, and the publishing of tables to the workers.

mod admin;
mod bind;
mod config;
mod cookie_key;
mod error;
mod publish;
mod run;
mod socket;
mod state;

pub use config::{EdgeConfig, Limits};
pub use error::EdgeError;
pub use run::run;
