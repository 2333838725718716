//! The shim: a small process that holds one instance and outlives the control plane.
//!
//! It is the parent of the service: it owns its log pipes, probes it, starts it again, stops it with everything that
//! came out of it, and answers on a socket. It never reads `pilotage.yaml` and never decides about a deployment.

mod backoff;
mod board;
mod end;
mod error;
mod host;
mod launch;
mod log;
mod pass;
mod place;
mod port;
mod protocol;
mod reaper;
mod records;
mod refresh;
mod run;
mod server;
mod spec;
mod stop;
mod succession;
mod supervisor;
mod usage;

pub use error::ShimError;
pub use host::run_shim;
pub use log::parse_line;
pub use pass::pass_listener;
pub use port::ReservedPort;
pub use protocol::{ShimClient, ShimRequest, ShimStatus};
pub use records::Records;
pub use spec::{LogLimits, ShimSpec};
