//! What is said over a shim's control socket: one JSON object a line.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pilotage_proxy::Address;
use pilotage_spec::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

use crate::InstanceState;
use crate::process::identity::ProcessIdentity;

/// What the control plane asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "request")]
pub enum ShimRequest {
    /// Answered with one [`ShimStatus`].
    Status,
    /// Answered with a [`ShimStatus`] now and after each change.
    Watch,
    /// Put new secrets in the place of old ones, and tell the service. Answered with one [`ShimStatus`] when that is done.
    Refresh,
    /// Stop the service, then end. Answered with a [`ShimStatus`]; the connection is closed when it has ended.
    Stop {
        /// From SIGTERM to SIGKILL, in milliseconds. When there are several requests, the earliest end counts.
        grace_ms: u64,
    },
}

/// How the instance is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShimStatus {
    /// The instance's name.
    pub name: String,
    /// Rises with every change, so that an answer that was overtaken on its way is known for what it is.
    pub revision: u64,
    /// The shim itself.
    pub shim: ProcessIdentity,
    /// The service's first process, while it runs.
    pub process: Option<ProcessIdentity>,
    /// The port it was given last.
    pub port: Option<u16>,
    /// The unix socket at which it listens instead of a port.
    #[serde(default)]
    pub socket: Option<PathBuf>,
    /// How it is; never `Lost`.
    pub state: InstanceState,
    /// When its process was started last.
    pub started_at: Option<Timestamp>,
    /// How often it was started again after it had ended.
    pub restarts: u32,
    /// Failed probes in a row.
    pub probe_failures: u32,
    /// How it ended last, in words.
    pub last_exit: Option<String>,
    /// Processor use since the reading before, in thousandths of a core.
    pub cpu_millis: Option<u32>,
    /// Resident memory of all its processes, in bytes.
    pub memory_bytes: Option<u64>,
}

impl ShimStatus {
    /// Where it listens.
    pub fn address(&self) -> Option<Address> {
        let port = self.port.map(|port| Address::Tcp(([127, 0, 0, 1], port).into()));
        self.socket.clone().map(Address::Unix).or(port)
    }

    /// The same without what changes all the time.
    pub fn without_readings(&self) -> Self {
        Self { revision: 0, cpu_millis: None, memory_bytes: None, ..self.clone() }
    }
}

/// One connection to a shim.
#[derive(Debug)]
pub struct ShimClient {
    lines: Lines<BufReader<OwnedReadHalf>>,
    output: OwnedWriteHalf,
}

impl ShimClient {
    /// Connects and asks. Fails at once if nobody listens.
    pub async fn ask(socket: &Path, request: ShimRequest) -> io::Result<Self> {
        let (input, output) = UnixStream::connect(socket).await?.into_split();
        let mut client = Self { lines: BufReader::new(input).lines(), output };
        let mut line = serde_json::to_vec(&request)?;
        line.push(b'\n');
        client.output.write_all(&line).await?;
        Ok(client)
    }

    /// Asks for the status once.
    pub async fn status(socket: &Path, limit: Duration) -> io::Result<ShimStatus> {
        let answer = async {
            let mut client = Self::ask(socket, ShimRequest::Status).await?;
            client.next().await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        };
        timeout(limit, answer).await?
    }

    /// The next status; `None` when the shim has closed the connection.
    pub async fn next(&mut self) -> io::Result<Option<ShimStatus>> {
        match self.lines.next_line().await? {
            Some(line) => Ok(Some(serde_json::from_str(&line)?)),
            None => Ok(None),
        }
    }
}
