//! A program that keeps the contract makes a target that keeps its own.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use pilotage_spec::{Release, Value, Version, Workload};
use pilotage_targets::conformance::{Behaviour, Subject, check};
use pilotage_targets::{Artifact, CommandConfig, CommandTarget, Instance, LogQuery, Source, Target};
use pilotage_testing::{Part, need};
use tempfile::TempDir;

use crate::support::{eventually, get, interpreter, kill, release, set_env};
use crate::world::{config, secret_file};

const HOST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/command/host.py");
const SERVICE: &str = env!("CARGO_BIN_EXE_target-host");

/// Processes on this machine behind the little engine of host.py.
struct Host {
    folder: TempDir,
    config: CommandConfig,
    target: Option<CommandTarget>,
}

impl Host {
    fn new(python: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let run = [&interpreter(python), "-B", "-S", HOST].map(str::to_owned).to_vec();
        let path = |name: &str| folder.path().join(name);
        let mut config = config(run, folder.path().to_owned(), path("state"));
        let own_folder = folder.path().display().to_string();
        config.env.insert("HOST_FOLDER".parse().unwrap(), Value::Plain(own_folder));
        config.interval = Duration::from_millis(100);
        let target = Some(CommandTarget::open(config.clone()).unwrap());
        Self { folder, config, target }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // The supervisor ends when its socket is gone, and its instances with it.
        let _ = std::fs::remove_file(self.folder.path().join("host.sock"));
    }
}

#[async_trait]
impl Subject for Host {
    fn target(&self) -> &dyn Target {
        self.target.as_ref().unwrap()
    }

    fn workload(&self) -> Workload {
        Workload { environment: "test".parse().unwrap(), service: "api".parse().unwrap() }
    }

    fn listen(&self) -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    async fn release(&self, version: &Version, behaviour: Behaviour) -> Release {
        let source = Source::new(Artifact::Path(SERVICE.into()), version.clone());
        let staged = self.target().stage(&self.workload(), &source).await.unwrap();
        let faults: &[&str] = match behaviour {
            Behaviour::Good => &[],
            Behaviour::EndsAtOnce => &["exit=1"],
        };
        let run = ["./target-host", "service"].iter().chain(faults).map(|word| (*word).to_owned()).collect();
        release(&version.to_string(), staged.digest, run)
    }

    async fn crash(&self, instance: &Instance) {
        kill(instance.pid.unwrap());
    }

    async fn answered_by(&self, listen: SocketAddr) -> Option<Version> {
        let answer = tokio::task::spawn_blocking(move || get(listen, "/")).await.unwrap();
        answer.ok().filter(|(status, _)| *status == 200).and_then(|(_, body)| body.parse().ok())
    }

    async fn reopen(&mut self) {
        drop(self.target.take());
        self.target = Some(CommandTarget::open(self.config.clone()).unwrap());
    }
}

#[tokio::test]
async fn a_program_that_keeps_the_contract_makes_a_target() {
    let Some(python) = need("command target", Part::Python) else { return };
    let mut host = Host::new(&python);
    check(&mut host).await.unwrap();
}

#[tokio::test]
async fn secrets_reach_instances_and_nobody_else() {
    let Some(python) = need("command target", Part::Python) else { return };
    let host = Host::new(&python);
    std::fs::write(host.folder.path().join("password"), "tr0ub4dor-and-3").unwrap();
    let mut release = host.release(&"1.0.0".parse().unwrap(), Behaviour::Good).await;
    set_env(&mut release, "PASSWORD", secret_file("password"));
    let (target, workload) = (host.target(), host.workload());
    let fence = pilotage_targets::Fence(1);
    target.ensure(&workload, &release, 1, fence).await.unwrap();
    let query = LogQuery { lines: 100, ..LogQuery::default() };
    eventually("the service says what it knows", || async {
        let seen = target.observe(&workload).await.unwrap();
        let address = seen.instances.first().and_then(|instance| match &instance.address {
            Some(pilotage_targets::Address::Tcp(address)) => Some(*address),
            _ => None,
        });
        let Some(address) = address else { return false };
        tokio::task::spawn_blocking(move || get(address, "/say")).await.unwrap().is_ok()
    })
    .await;
    eventually("its words are among the lines", || async {
        let lines = target.logs(&workload, &query).await.unwrap();
        lines.iter().any(|line| line.text == "the password is [masked]" && line.instance == "api-1")
    })
    .await;
    target.remove(&workload, fence).await.unwrap();
}
