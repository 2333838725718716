//! Where instances run: the [`Target`] trait and the process target.

pub mod conformance;
mod process;
mod target;

pub use pilotage_proxy::Address;
pub use process::{LogLimits, ProcessConfig, ProcessTarget, pass_listener, run_shim};
pub use target::{
    Fence, Instance, InstanceState, LogLine, LogQuery, Observation, RefreshedSecrets, Routed, Target,
    TargetError, Traffic,
};
