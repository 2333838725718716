//! Plans, interlocks, the judge and the decision what to do next.
//!
//! Everything here is a function of its arguments: the facts so far and the time come in, events and actions go out. No
//! clock, no random source, no file, no network. Start reading at [`decide()`].

mod action;
mod approval;
mod decide;
mod deployment;
mod event;
pub mod evidence;
pub mod forecast;
pub mod gate;
mod id;
pub mod interlock;
pub mod judge;
pub mod plan;
pub mod rehearse;
pub mod retrospect;
pub mod simulate;
mod split;

pub use action::{Action, ActionFailure, ActionResult, Facts, TrafficState};
pub use approval::{Opinion, Statement};
pub use decide::{Decision, Waiting, decide};
pub use deployment::{Course, Deployment, Direction, FoldError, Phase};
pub use event::{Asked, Cause, DeploymentEvent, Outcome, Request};
pub use id::{DeploymentId, DeploymentIdError};
pub use plan::{Check, Plan, PlanError, PlanRequest, Purpose, Step};
pub use split::{Shares, Split};
