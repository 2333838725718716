//! What is written down of an instance before it is started.

use pilotage_spec::{Release, Timestamp, Workload};
use serde::{Deserialize, Serialize};

/// The file of [`InstanceRecord`] in the instance's folder.
pub const RECORD_FILE: &str = "instance.json";

/// An instance as it was meant. It names secrets, and never holds their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRecord {
    /// The version of this format; see [`InstanceRecord::FORMAT`].
    pub format: u32,
    /// Its name, which is that of its folder: environment, service and a number that rises.
    pub name: String,
    /// That number.
    pub number: u64,
    /// What it is an instance of.
    pub workload: Workload,
    /// What it runs, and how.
    pub release: Release,
    /// When it was decided to start it.
    pub created_at: Timestamp,
    /// The instance without a supervisor that it stands in for.
    pub replaces: Option<String>,
}

impl InstanceRecord {
    /// The format written and read by this version.
    pub const FORMAT: u32 = 1;

    /// The name of a workload's instance. Neither part of a workload can hold a dot, so no two workloads share a name.
    pub fn name(workload: &Workload, number: u64) -> String {
        format!("{}.{}.{number}", workload.environment, workload.service)
    }
}
