//! What the types cannot check. A table with one fault is refused whole, so each fault says where it is and what to do.

mod error;
mod listener;
mod name;
mod route;
mod shaping;
mod table;
#[cfg(test)]
mod tests;

pub use error::{ListenerFault, RouteFault, TableError};
pub(super) use table::table;
