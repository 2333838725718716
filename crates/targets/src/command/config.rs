//! What a command target is opened with.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use pilotage_secrets::SecretReader;
use pilotage_spec::{CommandSettings, ProjectName, Value, VariableName};

use crate::Claims;

/// How often a workload is looked at while something happens.
const INTERVAL: Duration = Duration::from_secs(2);

/// What a command target is opened with. All paths are absolute.
#[derive(Debug, Clone)]
pub struct CommandConfig {
    /// The project's name.
    pub project: ProjectName,
    /// Program and arguments. A program with a `/` is looked up in the project's folder unless it is absolute; any other on
    /// `PATH`.
    pub run: Vec<String>,
    /// Its environment, beside `PATH` and `HOME`.
    pub env: BTreeMap<VariableName, Value>,
    /// How long one request may take.
    pub timeout: Duration,
    /// The folder in which it is run.
    pub project_folder: PathBuf,
    /// Where the traffic as it was asked for is kept. Created if it is missing.
    pub state_folder: PathBuf,
    /// Where fencing tokens are kept.
    pub claims: Claims,
    /// Reads the secrets of `env`, and those of services if the program wants their values.
    pub secrets: SecretReader,
    /// How often a workload is looked at while something happens; less often when nothing does.
    pub interval: Duration,
}

impl CommandConfig {
    /// What the file says of an environment's target.
    pub fn new(
        project: ProjectName,
        settings: &CommandSettings,
        project_folder: PathBuf,
        state_folder: PathBuf,
        claims: Claims,
        secrets: SecretReader,
    ) -> Self {
        Self {
            project,
            run: settings.run.clone(),
            env: settings.env.clone(),
            timeout: settings.timeout,
            project_folder,
            state_folder,
            claims,
            secrets,
            interval: INTERVAL,
        }
    }

    /// What the program is called in messages.
    pub(super) fn program(&self) -> &str {
        self.run.first().map_or("", String::as_str)
    }
}
