//! The edge as a process: held by a shim like any instance, so that it outlives the control plane.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pilotage_proxy::{EdgeClient, EdgeClientError};
use pilotage_spec::{ListenOn, Protocol};
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep};

use crate::process::{ProcessConfig, ShimClient, ShimRequest, ShimSpec, file_error, start_shim};
use crate::{InstanceState, TargetError};

/// What the edge's shim calls it.
const EDGE_NAME: &str = "edge";
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// How long requests in flight may take when the edge is stopped.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Where the edge is, or is to be.
#[derive(Debug, Clone)]
pub struct EdgeProcess {
    config: ProcessConfig,
    /// Whether an edge of an older make was looked for.
    renewed: Arc<OnceCell<()>>,
}

impl EdgeProcess {
    /// The edge of this configuration.
    pub fn new(config: ProcessConfig) -> Self {
        Self { config, renewed: Arc::default() }
    }

    /// Connects to the edge, and starts one if there is none. One that answers is taken as it is, even without a shim:
    /// users are being served by it. Only one of an older make is replaced, once, and without users noticing.
    pub async fn ensure_running(&self) -> Result<EdgeClient, TargetError> {
        let deadline = Instant::now() + ANSWER_WITHIN;
        let mut started = false;
        loop {
            match EdgeClient::connect(&self.config.edge_socket).await {
                Ok(client) => {
                    self.renewed.get_or_init(|| self.renew(&client)).await;
                    return Ok(client);
                }
                Err(error) if Instant::now() > deadline => {
                    return Err(self.failed(self.why(&error).await));
                }
                Err(_) => {}
            }
            // A shim that is there is about to start it again.
            if !started && !self.has_shim().await {
                self.start().await?;
                started = true;
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Puts this program in the place of an edge that was started from an older one. If it fails, that one serves on.
    async fn renew(&self, client: &EdgeClient) {
        let program = &self.config.program;
        let Ok(identity) = client.identify().await else { return };
        if !identity.is_outdated(program) {
            return;
        }
        let (pid, version) = (identity.pid, identity.version);
        match client.reload(Some(program)).await {
            Ok(replacement) => {
                tracing::info!(
                    pid,
                    version,
                    by = replacement.to.pid,
                    "an edge of an older make was replaced"
                );
            }
            Err(error) => tracing::warn!(
                pid,
                version,
                "the edge is of an older make and serves on: {error}; `pilotage edge reload` tries it again"
            ),
        }
    }

    /// Whether a shim holds the edge.
    pub(super) async fn has_shim(&self) -> bool {
        ShimClient::status(&self.config.shim_socket(EDGE_NAME), Duration::from_secs(2)).await.is_ok()
    }

    async fn start(&self) -> Result<(), TargetError> {
        let folder = self.config.edge_folder();
        // That of the edge before says nothing about the one to come.
        remove_if_there(&folder.join("exit.json"))?;
        start_shim(&self.config, &self.spec(&folder)).await.map(|_| ())
    }

    fn spec(&self, folder: &Path) -> ShimSpec {
        let program = self.config.program.to_string_lossy().into_owned();
        let run = std::iter::once(&program).chain(&self.config.edge_arguments);
        ShimSpec {
            hands_over: true,
            format: ShimSpec::FORMAT,
            name: EDGE_NAME.to_owned(),
            // These are not templates.
            run: run.map(|argument| argument.replace('$', "$$")).collect(),
            env: BTreeMap::new(),
            substituted: Vec::new(),
            secrets: Vec::new(),
            secret_files: Vec::new(),
            reload: None,
            current_folder: "/".into(),
            folder: folder.to_owned(),
            socket: self.config.shim_socket(EDGE_NAME),
            health: None,
            listen: ListenOn::default(),
            service_socket: None,
            protocol: Protocol::default(),
            stop_grace: STOP_GRACE,
            start_timeout: ANSWER_WITHIN,
            log: self.config.log,
        }
    }

    /// Stops the edge, with its shim if it has one, and waits until it is gone.
    pub async fn stop(&self) -> Result<(), TargetError> {
        let request = ShimRequest::Stop { grace_ms: STOP_GRACE.as_millis() as u64 };
        if let Ok(mut shim) = ShimClient::ask(&self.config.shim_socket(EDGE_NAME), request).await {
            while let Ok(Some(_)) = shim.next().await {}
        }
        let deadline = Instant::now() + STOP_GRACE + ANSWER_WITHIN;
        // Without a shim it has to be asked itself.
        while let Ok(edge) = EdgeClient::connect(&self.config.edge_socket).await {
            let _ = edge.shutdown(STOP_GRACE).await;
            if Instant::now() > deadline {
                return Err(self.failed("it does not stop".into()));
            }
            sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// What is known about an edge that does not answer.
    async fn why(&self, error: &EdgeClientError) -> String {
        let status = ShimClient::status(&self.config.shim_socket(EDGE_NAME), ANSWER_WITHIN).await;
        match status.map(|status| status.state) {
            Ok(InstanceState::Waiting { reason } | InstanceState::Failed { reason }) => {
                format!("it {reason}")
            }
            _ => format!("{error}; see {}", self.config.edge_folder().join("log").display()),
        }
    }

    fn failed(&self, reason: String) -> TargetError {
        TargetError::Failed { doing: "run the edge, which carries the traffic".into(), reason }
    }
}

fn remove_if_there(path: &Path) -> Result<(), TargetError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(file_error("remove", path, &error)),
        _ => Ok(()),
    }
}
