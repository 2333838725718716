//! What gates are asked, and deployments that wait for them.

mod budget;
mod conditions;
mod dependencies;
mod facts;
mod hold;
mod origin;
mod registry;
mod scripts;
mod subject;
mod tickets;
mod windows;

pub(crate) use hold::{hold, is_waiting_lease, wait, waiting};
pub use registry::Registry;
pub(crate) use subject::{Subject, check};
pub(crate) use tickets::TicketCache;
