//! Rollouts rehearsed: a plan played against a described fault, by the engine's own decisions and the judge's own tests.
//!
//! Start reading at [`Rehearsal`]. One rollout is a function of a seed; [`Summary`] says what became of many of them, and
//! [`picture()`] draws it. Beside the rollouts of a [`Fault`], those of [`Rehearsal::without_fault`] show the false alarms.
//!
//! Real here are the plan, [`decide()`](crate::decide()), the interlocks and all that the judge does. Made up are instances and
//! traffic: requests come by themselves (Poisson), fail by themselves, and take times of one long-tailed histogram.

mod conditions;
mod course;
mod draw;
mod fault;
mod instances;
mod picture;
mod player;
mod read;
mod rehearsal;
mod rollout;
mod scene;
mod summary;
#[cfg(test)]
mod tests;

pub use course::{Course, Stage};
pub use draw::{Traffic, TrafficError};
pub use fault::{Beginning, Effect, Fault};
pub use picture::{Pictured, picture};
pub use read::{FaultError, UNDERSTOOD};
pub use rehearsal::{Rehearsal, RehearsalError};
pub use rollout::{End, Rollout, TakenBack};
pub use summary::{Spread, StepCount, Summary};
