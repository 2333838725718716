//! One instance: the container that holds it, what it is told, and how it is.

pub(crate) mod container;
pub(crate) mod environment;
pub(crate) mod marks;
pub(crate) mod secret_files;
pub(crate) mod specification;
pub(crate) mod state;

pub(crate) use container::{Container, Phase};
pub(crate) use marks::Marks;
pub(crate) use state::{Readiness, Seen};
