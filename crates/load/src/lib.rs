//! Open-loop load and a sample service, for the demo, the tests and the benches.
//!
//! [`sample`] is a service that fails as told: a share of errors, latency, a late start, a crash. [`Load`] sends it
//! requests on a schedule that does not wait for answers, and tells what the service failed from what was dropped on the
//! way. Of Pilotage they know only the edge's headers and its histogram.

mod generator;
mod grpc;
mod random;
pub mod sample;

pub use generator::{
    DroppedRequest, Latency, Load, LoadError, LoadHandle, LoadPlan, LoadReport, Outcomes, Pacing, Session,
    Traffic, VersionLoad,
};
