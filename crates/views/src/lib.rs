//! Folds of the journal: nothing here is stored, everything is read from the events.

mod record;
mod workload;

pub use record::{
    DeploymentRecord, RecordError, Recorded, deployment_stream, deployments, from_event, load, new_event,
};
pub use workload::{
    Served, WorkloadEvent, WorkloadRecord, release_event, release_stream, releases, workload_record,
    workload_stream, workloads,
};
