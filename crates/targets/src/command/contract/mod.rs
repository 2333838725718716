//! The contract between Pilotage and a program that drives an engine: version 1.
//!
//! These types are the contract and nothing else: what Pilotage records about itself may change, this may not. A field may be
//! added, and whoever reads tolerates fields that it does not know; anything else is another version.

mod answer;
mod instance;
mod release;
mod request;
mod schema;
mod time;
mod traffic;

pub use answer::{
    Answer, Description, Fault, FaultKind, Pending, Routed, SecretsAs, Share, Shares, Staged, Weights,
};
pub use instance::{Instance, Line, Observation, State};
pub use release::{Confidential, Health, Release, Resources, Variable};
pub use request::{Artifact, LogQuery, Request, Verb, WorkloadName};
pub use schema::schema;
pub use time::write as write_time;
pub use traffic::{Cohort, Condition, Mirror, Preview, Test, Traffic};

/// The version of the contract that is spoken here.
pub const VERSION: u32 = 1;
