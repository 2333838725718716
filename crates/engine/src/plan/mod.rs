//! From a strategy to a list of steps. A plan is data: it prints, hashes, simulates and resumes.

mod ab;
mod baseline;
mod blue_green;
mod canary;
mod capabilities;
mod recreate;
mod request;
mod restore;
mod rolling;
mod scale;
mod shadow;
mod stages;
mod step;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod way_back;

pub use request::{Plan, PlanError, PlanRequest, Purpose};
pub(crate) use step::percent;
pub use step::{Check, Step};
pub use way_back::way_back;
