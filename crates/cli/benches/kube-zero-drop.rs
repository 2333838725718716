//! Deployments, ways back and replacements of the edge in a real cluster, under load through edge pods: how many requests are
//! dropped, and how long a way back takes, from the recorded verdict to the last request that any edge pod sent to the version
//! that is left. The control plane runs on this machine, and is replaced once in a longer run.

#![expect(clippy::expect_used, reason = "a bench ends where it cannot go on")]

#[path = "../tests/harness/mod.rs"]
mod harness;

use std::net::SocketAddr;
use std::time::Duration;

use harness::{World, drops};
use pilotage_engine::{DeploymentEvent, DeploymentId, Outcome};
use pilotage_load::{Load, LoadHandle, LoadPlan};
use pilotage_proxy::EdgeStats;
use pilotage_server::RequestBody;
use pilotage_spec::Timestamp;
use pilotage_testing::rig::{Kube, get};
use pilotage_testing::{Used, need_kube};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pilotage");
/// Where edge pods say what they have counted.
const STATUS_PORT: u16 = 9901;
/// How long the canary has its share before it is taken back.
const SETTLE: Duration = Duration::from_millis(500);
const USAGE: &str = "usage: kube-zero-drop [--quick] [--requests N]";

struct Size {
    requests: u64,
    rounds: usize,
}

fn main() {
    let Some(size) = size(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        std::process::exit(64);
    };
    let Some(kube) = need_kube("the bench `kube-zero-drop`") else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(measure(&kube, &size));
}

fn size(mut words: impl Iterator<Item = String>) -> Option<Size> {
    let mut size = Size { requests: 500_000, rounds: 6 };
    while let Some(word) = words.next() {
        match word.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--quick" => size = Size { requests: 20_000, rounds: 1 },
            "--requests" => size.requests = words.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(size)
}

async fn measure(kube: &Used<Kube>, size: &Size) {
    let place = Place::make(kube);
    let mut world = World::new(PROGRAM, &place.project());
    let image = place.push();
    world.serve(&[("PILOTAGE_IMAGE", &image)]).await;
    place.deploy(&world, "1.0.0").await;
    let users = place.users();
    let (mut rollbacks, mut switches, mut round) = (Vec::new(), 0, 0);
    while round < size.rounds || users.snapshot().requests < size.requests {
        round += 1;
        place.deploy(&world, &format!("1.{round}.0")).await;
        rollbacks.push(place.deploy_and_take_back(&world, &format!("1.{round}.1")).await);
        switches += 2;
        match round {
            1 => place.replace_edge().await,
            2 => {
                world.stop_server();
                world.serve(&[("PILOTAGE_IMAGE", &image)]).await;
            }
            _ => {}
        }
        eprintln!("{switches} cut-overs and rollbacks, {} requests", users.snapshot().requests);
    }
    let report = users.stop().await.expect("the load's report");
    if let Some(drops) = drops(&report) {
        eprintln!("{drops}");
    }
    figure(
        "requests",
        json!(report.requests),
        "requests",
        &format!(">= {}", size.requests),
        report.requests >= size.requests,
    );
    figure("cut_overs_and_rollbacks", json!(switches), "", "", true);
    figure("edge_replacements", json!(1), "", "", true);
    figure("dropped", json!(report.outcomes.dropped), "requests", "0", report.outcomes.dropped == 0);
    rollbacks.sort_by(f64::total_cmp);
    let middle = rollbacks[rollbacks.len() / 2];
    let worst = rollbacks[rollbacks.len() - 1];
    figure("rollback_p50", json!(middle.round()), "ms", "", true);
    figure("rollback_worst", json!(worst.round()), "ms", "< 2000", worst < 2_000.0);
}

/// A namespace of its own.
struct Place<'a> {
    kube: &'a Used<Kube>,
    namespace: String,
}

impl<'a> Place<'a> {
    fn make(kube: &'a Used<Kube>) -> Self {
        let namespace = format!("zero-drop-{}", std::process::id());
        kube.kubectl(&["create", "namespace", &namespace]).expect("a namespace");
        Self { kube, namespace }
    }

    fn kubectl(&self, arguments: &[&str]) -> String {
        let all = [&["--namespace", self.namespace.as_str()], arguments].concat();
        self.kube.kubectl(&all).expect("kubectl")
    }

    /// The image of edge pods.
    fn push(&self) -> String {
        self.kube.docker().and_then(|docker| docker.pilotage_image()).expect("the image of pilotage")
    }

    fn project(&self) -> String {
        let image = self.sample("1.0.0");
        let image = image.split_once('@').map_or(image.as_str(), |(name, _)| name);
        let (namespace, kubeconfig) = (&self.namespace, self.kube.kubeconfig().display());
        format!(
            r#"project: shop
services:
  api:
    image: {image}
    health: {{ live: /health, ready: /ready, interval: 1s }}
    replicas: 1
environments:
  dev:
    target: {{ kubernetes: {{ kubeconfig: {kubeconfig}, namespace: {namespace}, traffic: edge }} }}
    strategy: quick
strategies:
  quick:
    canary: {{ steps: [50, 100], watch: 2s, soak: 1s }}
    roll_back_when: {{ min_requests: 20, p99_vs_stable: off, p95_vs_stable: off }}
"#
        )
    }

    /// Has the registry hold a version of the sample service.
    fn sample(&self, version: &str) -> String {
        self.kube
            .docker()
            .and_then(|docker| docker.sample_image(version))
            .expect("the image of the sample service")
    }

    async fn deploy(&self, world: &World, version: &str) {
        self.sample(version);
        let id = world.try_deploy_to("dev", "api", version, None).await.expect("a deployment");
        assert_eq!(world.ended(id).await, Outcome::Succeeded, "{version}");
    }

    /// Brings a version out to half of the users, takes it back, and says how many milliseconds the way back took.
    async fn deploy_and_take_back(&self, world: &World, version: &str) -> f64 {
        self.sample(version);
        let id = world.try_deploy_to("dev", "api", version, None).await.expect("a deployment");
        while self.last_request(version).is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(SETTLE).await;
        let abort = format!("/v1/deployments/{id}/abort");
        world.client().post::<Value>(&abort, &RequestBody::default()).await.expect("the way back");
        assert_eq!(world.ended(id).await, Outcome::RolledBack, "{version}");
        let last = self.last_request(version).expect("the last request");
        Timestamp::from_micros(last).since(verdict(world, id)).as_secs_f64() * 1_000.0
    }

    /// When any edge pod sent a request to the version last.
    fn last_request(&self, version: &str) -> Option<i64> {
        let selector = "app.kubernetes.io/name=pilotage-edge";
        let addresses = self.kubectl(&[
            "get",
            "pods",
            "--selector",
            selector,
            "--output",
            "jsonpath={.items[*].status.podIP}",
        ]);
        let of = |address: &str| {
            let (_, answer) = get(&format!("{address}:{STATUS_PORT}"), "/stats").ok()?;
            let (_, body) = answer.split_once("\r\n\r\n")?;
            let stats: EdgeStats = serde_json::from_str(body).ok()?;
            Some(stats.routes.get("dev/api")?.versions.get(version)?.last_request_micros)
                .filter(|last| *last > 0)
        };
        addresses.split_whitespace().filter_map(of).max()
    }

    /// New edge pods in the place of the old ones.
    async fn replace_edge(&self) {
        self.kubectl(&["rollout", "restart", "deployment", "pilotage-edge"]);
        self.kubectl(&["rollout", "status", "deployment", "pilotage-edge", "--timeout=180s"]);
    }

    /// People at the Service of users.
    fn users(&self) -> LoadHandle {
        let read =
            |path: &str| self.kubectl(&["get", "service", "api", "--output", &format!("jsonpath={path}")]);
        let address: SocketAddr = format!("{}:{}", read("{.spec.clusterIP}"), read("{.spec.ports[0].port}"))
            .parse()
            .expect("an address");
        let plan = LoadPlan {
            post_share: 0.1,
            new_connection_share: 0.02,
            timeout: Duration::from_secs(45),
            ..LoadPlan::closed(address, 16)
        };
        Load::start(plan).expect("load")
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let deleted = self.kube.kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
        if let Err(error) = deleted {
            eprintln!("{} is left behind: {error}", self.namespace);
        }
    }
}

fn verdict(world: &World, id: DeploymentId) -> Timestamp {
    let history = world.record(id).expect("the deployment").history;
    let began = |event: &DeploymentEvent| matches!(event, DeploymentEvent::RollbackStarted { .. });
    history.iter().rev().find(|recorded| began(&recorded.event)).expect("the verdict").at
}

fn figure(name: &str, value: Value, unit: &str, goal: &str, holds: bool) {
    let name = format!("kube.zero_drop.{name}");
    println!(
        "{}",
        json!({ "name": name, "value": value, "unit": unit, "peer": null, "ratio": null, "goal": goal, "holds": holds })
    );
}
