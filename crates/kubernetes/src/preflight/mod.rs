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
pub(crate) use missing::Missing;
pub(crate) use need::{Need, needs};
pub(crate) use review::missing;
pub use rules::{Rule, all_rules};

#[cfg(test)]
mod tests;
