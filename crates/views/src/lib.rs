//! Folds of the journal: nothing here is stored, everything is read from the events.
//!
//! `record`, `workload` and `environment` read the streams; `status`, `history`, `audit` and `explain` are what people are shown.

mod alert;
mod audit;
mod environment;
mod explain;
mod history;
mod record;
mod status;
#[cfg(test)]
mod testing;
mod time;
mod workload;

pub use alert::{AlertReceived, Consequence};
pub use audit::{AuditFold, AuditLine};
pub use environment::{EnvironmentEvent, edges, environment_stream};
pub use explain::{Explanation, GateWords, Told, explain, gate_word, gates};
pub use history::{HistoryLine, history_line};
pub use record::{
    DeploymentRecord, RecordError, Recorded, deployment_stream, deployments, from_event, load, new_event,
};
pub use status::{
    LastDeployment, MovingStatus, NextAction, Observed, StatusFacts, StepState, StepStatus, VersionShare,
    WorkloadStatus, moving_status, steps, workload_status,
};
pub use time::{parse_rfc3339, rfc3339};
pub use workload::{
    Ordered, Rehearsed, Served, ServicePast, WorkloadEvent, WorkloadRecord, release_author, release_event,
    release_stream, releases, service_past, workload_record, workload_stream, workloads,
};
