//! Sends users to instances: keeps the edge running, and its table in step with what is ready.
//!
//! The shares are kept by the edge, on its disk and in its memory, and nowhere else: a control plane that comes back asks
//! for them.

mod check;
mod control;
mod drain;
mod edge_process;
mod listen;
mod listeners;
mod preview;
mod publisher;
mod routes;
mod settings;
mod shaping;
#[cfg(test)]
mod tests;

pub use control::TrafficControl;
pub use edge_process::EdgeProcess;
pub use listen::with_port;
