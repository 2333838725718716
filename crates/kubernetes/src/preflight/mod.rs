//! What we may do in a namespace, before anything is begun that could not be ended: what is missing, and the Role that would
//! allow it.

mod grants;
mod inspect;
mod missing;
mod need;
mod review;
mod rules;
mod user;

pub(crate) use inspect::inspect;
pub use inspect::inspect_cluster;
pub(crate) use need::needs;
pub(crate) use review::missing;
pub use rules::{Rule, all_rules};

#[cfg(test)]
mod tests;
