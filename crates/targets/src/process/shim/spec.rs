//! What a shim is told on its standard input.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use pilotage_spec::{Health, ListenOn, Protocol, ReloadSignal, duration_ms};
use serde::{Deserialize, Serialize};

use super::ShimError;

/// What a shim holds. It comes over a pipe and is never written down, because it has the values of secrets in it.
#[derive(Clone, Serialize, Deserialize)]
pub struct ShimSpec {
    /// The version of this format; see [`ShimSpec::FORMAT`].
    pub format: u32,
    /// The instance's name.
    pub name: String,
    /// Program and arguments, with `$PORT` or `$PILOTAGE_SOCKET` and the names of `env` not yet substituted.
    pub run: Vec<String>,
    /// The whole environment of the service, but for what tells it where to listen.
    pub env: BTreeMap<String, String>,
    /// Those of `env` that may be substituted in `run`, beside what tells where to listen.
    pub substituted: Vec<String>,
    /// Those of `env` whose values must not appear anywhere.
    pub secrets: Vec<String>,
    /// Files whose contents must not appear anywhere either.
    #[serde(default)]
    pub secret_files: Vec<PathBuf>,
    /// What the service is sent when one of them has changed.
    #[serde(default)]
    pub reload: Option<ReloadSignal>,
    /// Where the service is started.
    pub current_folder: PathBuf,
    /// The instance's own folder: logs and records.
    pub folder: PathBuf,
    /// The shim's control socket.
    pub socket: PathBuf,
    /// What is probed where the service listens. `None`: it is not told where to, and is ready as long as it runs.
    pub health: Option<Health>,
    /// Where the service listens.
    #[serde(default)]
    pub listen: ListenOn,
    /// The path of its unix socket, if it listens at one.
    #[serde(default)]
    pub service_socket: Option<PathBuf>,
    /// Whether it may put another process in its place, and says so by `MAINPID=` (sd_notify(3)). Those that it has
    /// replaced then finish in peace.
    #[serde(default)]
    pub hands_over: bool,
    /// What it speaks.
    #[serde(default)]
    pub protocol: Protocol,
    /// From SIGTERM to SIGKILL, unless the one who stops it says otherwise.
    #[serde(with = "duration_ms", rename = "stop_grace_ms")]
    pub stop_grace: Duration,
    /// From start to ready.
    #[serde(with = "duration_ms", rename = "start_timeout_ms")]
    pub start_timeout: Duration,
    /// How much of the log is kept.
    pub log: LogLimits,
}

/// How much of an instance's log is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLimits {
    /// A file is put aside when it is this long, in bytes.
    pub file_bytes: u64,
    /// So many files are kept, the one being written included.
    pub files: u32,
}

impl Default for LogLimits {
    fn default() -> Self {
        Self { file_bytes: 10 << 20, files: 3 }
    }
}

impl ShimSpec {
    /// The format written and read by this version.
    pub const FORMAT: u32 = 1;

    /// Reads it to the end of the input.
    pub fn read(mut input: impl Read) -> Result<Self, ShimError> {
        let mut text = Vec::new();
        input.read_to_end(&mut text).map_err(ShimError::io("read the specification from standard input"))?;
        let spec: Self = serde_json::from_slice(&text).map_err(|error| ShimError::Spec {
            // The parser's own words could repeat a value.
            reason: format!("it is not one, at column {}", error.column()),
        })?;
        if spec.format != Self::FORMAT {
            return Err(ShimError::Spec {
                reason: format!("its format is {}, this shim reads {}", spec.format, Self::FORMAT),
            });
        }
        Ok(spec)
    }
}

impl fmt::Debug for ShimSpec {
    /// Leaves the environment out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShimSpec").field("name", &self.name).field("run", &self.run).finish_non_exhaustive()
    }
}
