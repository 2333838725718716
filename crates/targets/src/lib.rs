//! Where instances run: the [`Target`] trait, the edge that targets share, the process target, the target
//! that is a program of the team's own, and [`Fleet`], which finds the target of an environment.

mod claims;
mod command;
pub mod conformance;
mod controller;
mod edge;
mod fleet;
mod inspection;
pub mod probe;
mod process;
mod target;

pub use claims::{Claim, Claims, WorkloadRecord};
pub use command::{CommandConfig, CommandTarget, contract};
pub use controller::ControllerRollout;
pub use edge::{EndpointSource, HostEdge, Serving, build_table};
pub use fleet::{Fleet, Opener};
pub use inspection::{Finding, Inspection, Verdict};
pub use pilotage_proxy::Address;
pub use process::{LogLimits, ProcessConfig, ProcessTarget, Tasks, pass_listener, run_shim};
pub use target::{
    Artifact, Fence, Instance, InstanceState, LogLine, LogQuery, Observation, RefreshedSecrets, Routed,
    Source, Staged, Target, TargetError, Traffic,
};
