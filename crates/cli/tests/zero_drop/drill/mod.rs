//! Cut-overs, rollbacks and replacements of a real edge, while users of every kind send as fast as they are answered.
//! Everything is a process of its own but the users and whoever hands over the tables. Shared by a test and a bench.
#![allow(dead_code, unused_imports, reason = "each user takes the part it needs")]

mod edge;
mod instances;
mod run;
mod service;
mod users;

pub use run::{Drilled, Size, Times, run};
pub use users::dropped;

use std::time::Duration;

/// A guard against hanging; never how long something should take.
const PATIENCE: Duration = Duration::from_secs(120);
