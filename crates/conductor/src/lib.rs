//! The durable loop: ask the engine, record the intent, act through a target, record the outcome.
//!
//! Nothing is remembered that is not in the journal, and nothing is assumed that the target has not just said: after a
//! crash at any instant a new conductor goes on where the old one was. Start reading at [`Conductor`]; the loop itself is
//! in `drive`.

mod adopt;
mod alert;
mod clock;
mod collect;
mod conductor;
mod confidential;
pub mod crash;
mod drive;
mod effect;
mod error;
mod facts;
mod gating;
mod keeper;
mod log;
mod looks;
mod measure;
mod planning;
mod queries;
mod readings;
mod relay;
mod request;
mod reroute;
mod rotate;
mod scripts;
mod smoke;
mod start;
mod traffic;

pub use conductor::{Conductor, Options};
pub use error::ConductorError;
pub use gating::Registry;
pub use request::{DeployRequest, Live, OpinionRequest, RollbackRequest, Started};
pub use reroute::{Effect, Rerouted};
pub use scripts::{Script, scripts};
