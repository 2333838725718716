//! Any engine, by a program of the team's own: one JSON object on its standard input, one on its standard output.
//!
//! [`contract`] is what is published; docs/command-target.md tells how to write such a program. What is kept here is as little
//! as can be: the fencing tokens, and the traffic as it was asked for. All else is asked for anew.
//!
//! What must never happen here: a shell, a secret among arguments, a program that outlives its time limit.

mod call;
mod config;
pub mod contract;
mod convert;
mod environment;
mod fault;
mod group;
mod observations;
mod pace;
mod poll;
mod program;
mod routes;
mod shared;
mod target;

pub use config::CommandConfig;
pub use target::CommandTarget;
