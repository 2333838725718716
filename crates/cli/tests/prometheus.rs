//! A release is taken back because a real Prometheus says so.

#![expect(clippy::unwrap_used, reason = "a test ends where it cannot go on")]

mod harness;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use harness::{Sample, World, sample_project, until};
use pilotage_engine::Outcome;
use pilotage_testing::{Part, need};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotage");

/// A Prometheus of our own on a free port, with a rule that may fire a critical alert.
struct Prometheus {
    process: Child,
    address: SocketAddr,
}

impl Prometheus {
    fn start(program: &Path, folder: &Path, alert: &str) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let rule =
            format!("    - {{ alert: QueueStuck, expr: \"{alert}\", labels: {{ severity: critical }} }}");
        std::fs::write(folder.join("rules.yml"), format!("groups:\n- name: test\n  rules:\n{rule}\n"))
            .unwrap();
        let config = "global: { evaluation_interval: 200ms }\nrule_files: [rules.yml]\n";
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        let process = Command::new(program)
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("prometheus").display()))
            .arg(format!("--web.listen-address={address}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, address }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Deploys 1.1.0, which answers every request well, and says how that ended and why.
async fn deploy(prometheus: &Path, alert: &str, triggers: &str) -> (Outcome, String) {
    let folder = tempfile::tempdir().unwrap();
    let prometheus = Prometheus::start(prometheus, folder.path(), alert);
    let answers = || async { TcpStream::connect(prometheus.address).is_ok() };
    until("Prometheus answers", answers).await;
    let strategy = "canary: { steps: [50, 100], watch: 5s, soak: 0s }";
    let project = sample_project(PROGRAM, 1, strategy).replace("min_requests: 20", triggers).replace(
        "strategy: quick",
        &format!("strategy: quick, prometheus: {{ url: \"http://{}\" }}", prometheus.address),
    );
    let mut world = World::new(PROGRAM, &project);
    world.serve(&[]).await;
    let first = world.release(&Sample::good("1.0.0"));
    assert_eq!(world.deploy("1.0.0", &first).await.1, Outcome::Succeeded);
    let second = world.release(&Sample::good("1.1.0"));
    let (id, outcome) = world.deploy("1.1.0", &second).await;
    let (_, reason, _) = world.record(id).unwrap().deployment.end.unwrap();
    (outcome, reason.unwrap_or_default())
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_critical_alert_takes_a_release_back() {
    let Some(prometheus) = need("a_critical_alert_takes_a_release_back", Part::Prometheus) else { return };
    run(async {
        let (outcome, reason) = deploy(&prometheus, "vector(1)", "min_requests: 20").await;
        assert_eq!((outcome, reason.as_str()), (Outcome::RolledBack, "critical alert fires: QueueStuck"));
    });
}

#[test]
fn a_metric_of_the_teams_own_takes_a_release_back() {
    let Some(prometheus) = need("a_metric_of_the_teams_own_takes_a_release_back", Part::Prometheus) else {
        return;
    };
    run(async {
        let metric = "metrics: [{ name: queue, query: \"vector(200)\", above: 100 }]";
        let (outcome, reason) = deploy(&prometheus, "vector(1) > 2", metric).await;
        assert_eq!(
            (outcome, reason.as_str()),
            (Outcome::RolledBack, "queue is 200; above 100 takes the release back")
        );
    });
}

#[test]
fn a_quiet_prometheus_lets_a_release_pass() {
    let Some(prometheus) = need("a_quiet_prometheus_lets_a_release_pass", Part::Prometheus) else { return };
    run(async {
        let metric = "metrics: [{ name: queue, query: \"vector(99)\", above: 100 }]";
        let (outcome, _) = deploy(&prometheus, "vector(1) > 2", metric).await;
        assert_eq!(outcome, Outcome::Succeeded);
    });
}
