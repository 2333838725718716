//! A project of its own with the sample service in it, driven through the server's API by the real binary. Shared by the
//! crash matrix, the tests of the examples, and the benches.
#![allow(dead_code, unused_imports, reason = "each user takes the part it needs")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test or a bench ends where it cannot go on"
)]

mod project;
mod server;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pilotage_engine::{DeploymentId, Outcome};
use pilotage_journal::Journal;
use pilotage_load::{Load, LoadHandle, LoadPlan, LoadReport};
use pilotage_proxy::EdgeClient;
use pilotage_server::{
    Client, ClientError, DeployBody, RequestBody, RollbackBody, StateFolder, StatusReport, VerifyReport,
};
use pilotage_views::{self as views, DeploymentRecord, WorkloadStatus};
use serde_json::Value;

pub use project::{Sample, sample_project};
pub use server::Server;

/// Longer than anything here takes; a guard against hanging, not a measure.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A project folder with everything that runs for it.
pub struct World {
    folder: tempfile::TempDir,
    program: PathBuf,
    state: StateFolder,
    server: Option<Server>,
}

impl World {
    /// A project with this file; nothing runs yet.
    pub fn new(program: &str, project: &str) -> Self {
        let world = Self::empty(program);
        std::fs::write(world.path().join("pilotage.yaml"), project).unwrap();
        world
    }

    /// A copy of a project that is there; nothing runs yet.
    pub fn copy_of(program: &str, project: &Path) -> Self {
        let world = Self::empty(program);
        copy_folder(project, world.path());
        world
    }

    fn empty(program: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("pilotage-world-").tempdir().unwrap();
        let state = StateFolder::at(&folder.path().join(".pilotage")).unwrap();
        Self { folder, program: PathBuf::from(program), state, server: None }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn state(&self) -> &StateFolder {
        &self.state
    }

    pub fn client(&self) -> Client {
        Client::new(self.state.socket())
    }

    /// Starts the server with additional variables, and waits until it answers.
    pub async fn serve(&mut self, variables: &[(&str, &str)]) {
        self.server = Some(Server::start(&self.program, self.path(), variables));
        let client = self.client();
        until("the server answers", || async { client.get::<Value>("/v1/health").await.is_ok() }).await;
    }

    /// Starts the server with additional variables; it may be gone before it answers.
    pub fn serve_unwatched(&mut self, variables: &[(&str, &str)]) {
        self.server = Some(Server::start(&self.program, self.path(), variables));
    }

    /// Stops the server alone, as an upgrade would.
    pub fn stop_server(&mut self) {
        if let Some(server) = self.server.take() {
            server.terminate();
        }
    }

    /// Waits until the server has been killed by SIGKILL; false if it is still there after a while.
    pub async fn server_was_killed(&mut self) -> bool {
        let Some(server) = &mut self.server else { return false };
        let killed = server.was_killed(PATIENCE / 3).await;
        if killed {
            self.server = None;
        }
        killed
    }

    /// Writes a release of the sample service.
    pub fn release(&self, sample: &Sample) -> PathBuf {
        sample.write(&self.path().join("releases"))
    }

    /// Begins to deploy `api` to `dev`.
    pub async fn try_deploy(&self, version: &str, artifact: &Path) -> Result<DeploymentId, ClientError> {
        self.try_deploy_to("dev", "api", version, Some(artifact)).await
    }

    /// Begins to deploy a service; without an artifact, the one that the file names.
    pub async fn try_deploy_to(
        &self,
        environment: &str,
        service: &str,
        version: &str,
        artifact: Option<&Path>,
    ) -> Result<DeploymentId, ClientError> {
        let body = DeployBody {
            service: service.to_owned(),
            version: version.to_owned(),
            environment: environment.to_owned(),
            strategy: None,
            artifact: artifact.map(Path::to_owned),
            image: None,
            confirmation: Some(environment.to_owned()),
            ticket: None,
            emergency: None,
            command: format!("deploy {service} {version}"),
        };
        let started: Value = self.client().post("/v1/deployments", &body).await?;
        Ok(started["id"].as_str().unwrap().parse().unwrap())
    }

    /// Deploys what the file names, and waits for the end.
    pub async fn deploy_to(&self, environment: &str, service: &str, version: &str) -> Outcome {
        let id = self.try_deploy_to(environment, service, version, None).await.unwrap();
        self.ended(id).await
    }

    /// Deploys `api` to `dev` and waits for the end.
    pub async fn deploy(&self, version: &str, artifact: &Path) -> (DeploymentId, Outcome) {
        let id = self.try_deploy(version, artifact).await.unwrap();
        (id, self.ended(id).await)
    }

    /// Goes back in `dev`, and waits for the end.
    pub async fn roll_back(&self, service: &str) -> (DeploymentId, Outcome) {
        let body = RollbackBody {
            service: service.to_owned(),
            environment: "dev".to_owned(),
            to: None,
            reason: None,
            command: format!("rollback {service}"),
        };
        let started: Value = self.client().post("/v1/rollback", &body).await.unwrap();
        let id = started["id"].as_str().unwrap().parse().unwrap();
        (id, self.ended(id).await)
    }

    /// Waits for the end of a deployment.
    pub async fn ended(&self, id: DeploymentId) -> Outcome {
        let ended = || async { self.outcome(id) };
        until_some(&format!("{id} ends"), ended).await
    }

    fn outcome(&self, id: DeploymentId) -> Option<Outcome> {
        self.record(id)?.deployment.end.map(|(outcome, ..)| outcome)
    }

    /// A deployment as the journal tells it.
    pub fn record(&self, id: DeploymentId) -> Option<DeploymentRecord> {
        let reader = Journal::open_read_only(&self.state.journal()).ok()?;
        views::load(&reader, id).ok()
    }

    /// The only deployment that has not ended, or else the last one.
    pub fn last_deployment(&self) -> Option<DeploymentId> {
        let reader = Journal::open_read_only(&self.state.journal()).ok()?;
        views::deployments(&reader).ok()?.last().copied()
    }

    /// How a service is in `dev`.
    pub async fn status(&self, service: &str) -> WorkloadStatus {
        self.status_in("dev", service).await
    }

    pub async fn status_in(&self, environment: &str, service: &str) -> WorkloadStatus {
        let report: StatusReport = self.client().get("/v1/status").await.unwrap();
        let wanted =
            |workload: &WorkloadStatus| workload.environment == environment && workload.service == service;
        report.workloads.into_iter().find(wanted).unwrap()
    }

    /// Where users reach a service in `dev`.
    pub async fn address(&self, service: &str) -> SocketAddr {
        self.status(service).await.address.unwrap()
    }

    /// What the server wrote, for a test that fails.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("server.log")).unwrap_or_default()
    }

    /// Runs the binary in the project's folder, as a person would.
    pub fn command(&self, arguments: &[&str], exit_code: i32) -> String {
        let run = std::process::Command::new(&self.program).args(arguments).current_dir(self.path()).output();
        let run = run.unwrap();
        let said =
            format!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert_eq!(run.status.code(), Some(exit_code), "{said}");
        said
    }

    /// Waits until a version serves `api` in an environment, with nothing moving any more.
    pub async fn until_serves(&self, environment: &str, version: &str) {
        until(&format!("{version} serves in {environment}"), || async {
            let status = self.status_in(environment, "api").await;
            status.version.is_some_and(|serving| serving.to_string() == version) && status.moving.is_none()
        })
        .await;
    }

    pub async fn verified(&self) -> bool {
        self.client().get::<VerifyReport>("/v1/audit/verify").await.unwrap().verified
    }

    /// The edge's control client.
    pub async fn edge(&self) -> EdgeClient {
        EdgeClient::connect(self.state.run().join("edge.sock")).await.unwrap()
    }

    async fn end_everything(&mut self) {
        let client = self.client();
        if client.get::<Value>("/v1/health").await.is_err() {
            self.server = None;
            self.serve(&[]).await;
        }
        let begun = Instant::now();
        let body = serde_json::json!({ "command": "down" });
        while client.post::<Value>("/v1/down", &body).await.is_err() && begun.elapsed() < PATIENCE {
            if let Some(id) = self.last_deployment() {
                let _ = client
                    .post::<Value>(&format!("/v1/deployments/{id}/abort"), &RequestBody::default())
                    .await;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        if let Some(server) = self.server.take() {
            server.terminate();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        std::thread::scope(|scope| {
            let ending = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(self.end_everything());
            });
            if ending.join().is_err() {
                eprintln!("not everything could be stopped");
            }
        });
    }
}

/// Open-loop load that a person would recognise: kept connections, new ones, posts and slow uploads.
pub fn load(address: SocketAddr, requests_per_second: f64) -> LoadHandle {
    let plan = LoadPlan {
        post_share: 0.1,
        slow_upload_share: 0.01,
        new_connection_share: 0.05,
        timeout: Duration::from_secs(45),
        resend: false,
        ..LoadPlan::open(address, requests_per_second)
    };
    Load::start(plan).unwrap()
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_name().to_str() {
            // What somebody who tried the example has left there.
            Some("target" | ".pilotage") => {}
            _ if entry.file_type().unwrap().is_dir() => copy_folder(&entry.path(), &target),
            _ => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Says what was dropped, in words, if anything was.
pub fn drops(report: &LoadReport) -> Option<String> {
    (report.outcomes.dropped > 0 || report.not_sent > 0).then(|| {
        format!("{} dropped, {} not sent: {:?}", report.outcomes.dropped, report.not_sent, report.first_drops)
    })
}

/// Waits until something holds.
pub async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    until_some(what, || {
        let holds = holds();
        async { holds.await.then_some(()) }
    })
    .await;
}

/// Waits until something is there.
pub async fn until_some<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
