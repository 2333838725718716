//! The HTTP API over a unix socket, and its client.
//!
//! One server drives one project. It listens on a socket in a folder that only its user can enter, and asks the kernel
//! who calls; that name stands in the journal beside everything the caller does.
//!
//! Start reading at [`run`]; `api` is what travels, `routes` is one file a resource, `client` is the other side.

mod admission;
mod api;
mod client;
mod config;
mod context;
mod deliveries;
mod error;
mod file;
mod latest;
mod listen;
mod peer;
mod registry;
mod routes;
mod secret;
mod serve;
mod state;
mod stopped;

pub use api::{
    BackupBody, BackupDone, DeployBody, DeploymentDetail, DownBody, DownDone, Health, OpinionBody,
    RequestBody, RollbackBody, StatusReport, UpBody, UpDone, VerifyReport,
};
pub use client::{Client, ClientError, Lines};
pub use config::ServerConfig;
pub use error::{ErrorBody, ErrorKind};
pub use file::{FileError, calendar_faults, find_project_file, read_project, window_faults};
pub use serve::{ServeError, run};
pub use state::{StateError, StateFolder};
pub use stopped::Stopped;
