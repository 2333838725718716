//! A program of the team's own that runs the instances.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Value, VariableName, duration_ms};

/// A program that is asked to do what a target does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandSettings {
    /// Program and arguments; run in the project's folder.
    pub run: Vec<String>,
    /// All the environment variables that it gets beside `PATH` and `HOME`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<VariableName, Value>,
    /// How long one request may take.
    #[serde(with = "duration_ms", rename = "timeout_ms")]
    pub timeout: Duration,
}
