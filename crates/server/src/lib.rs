//! The HTTP API over a unix socket and, if wished, over the network; and its client.
//!
//! One server drives one project. It listens on a socket in a folder that only its user can enter, and asks the kernel
//! who calls; whoever comes over the network brings a token. The name of the caller stands in the journal beside everything
//! it does. Whether it may, one layer decides for all routes: `guard`.
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
mod guard;
mod latest;
mod listen;
mod masking;
mod network;
mod registry;
mod routes;
mod serve;
mod state;
mod stopped;
mod targets;

pub use api::{
    BackupBody, BackupDone, ClusterReport, DeployBody, DeploymentDetail, DownBody, DownDone, Empty,
    ForgetBody, Forgotten, Health, OpinionBody, RequestBody, RollbackBody, RolloutBody, SessionBody,
    SignInPlace, StatusReport, TargetReport, TokenBody, TokenDone, UpBody, UpDone, VerifyReport, WhoAmI,
};
pub use client::{Client, ClientError, Lines, RemoteError};
pub use config::{Network, ServerConfig, TlsFiles};
pub use error::{ErrorBody, ErrorKind};
pub use file::{FileError, calendar_faults, find_project_file, read_project, window_faults};
pub use network::NetworkError;
pub use routes::{About, Needs, RouteInfo, route_table};
pub use serve::{ServeError, run};
pub use state::{StateError, StateFolder};
pub use stopped::Stopped;
