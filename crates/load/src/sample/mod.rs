//! A sample service over HTTP/1.1 whose faults are settings: what a deployment tool meets in the field, on demand.
//!
//! `/` answers `{version, instance, request}`, `/health` and `/ready` are for probes, `/slow?ms=N` answers after so many
//! milliseconds, and `POST /echo` answers with what it was sent.

mod answer;
mod serve;
mod settings;

pub use serve::{SampleError, SampleService, run};
pub use settings::{SampleSettings, SettingsError};

/// The response header with which the sample service marks a failure as its own.
pub const FAILURE_HEADER: &str = "sample-failure";
