//! Where instances run: the [`Target`] trait and the process target.

mod target;

pub use target::{
    Fence, Instance, InstanceState, LogLine, LogQuery, Observation, Routed, Target, TargetError, Traffic,
};
