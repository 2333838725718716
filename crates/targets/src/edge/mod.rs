//! Sends users to instances: keeps the edge of this machine running, and its table in step with what is ready. Every target whose
//! instances can be reached from here shares it.
//!
//! The shares are kept by the edge, on its disk and in its memory, and nowhere else: a control plane that comes back asks
//! for them.

mod check;
mod drain;
mod edge_process;
mod host_edge;
mod listen;
mod listeners;
mod preview;
mod publisher;
mod routes;
mod settings;
mod shaping;
mod sources;
#[cfg(test)]
mod tests;

pub use host_edge::HostEdge;
pub use routes::build_table;
pub use sources::{EndpointSource, Serving};

use listen::with_port;
