//! A large estate: how long it takes to look at all of it, and what is needed to do so.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use futures_util::stream::{StreamExt, iter};
use pilotage_kubernetes::{KubernetesConfig, KubernetesTarget};
use pilotage_secrets::{Known, SecretReader};
use pilotage_spec::{
    ClusterReach, Digest, KubernetesSettings, KubernetesTraffic, Release, ReleaseId, SecretSettings, Workload,
};
use pilotage_targets::{Fence, HostEdge, ProcessConfig, Target};
use pilotage_testing::need_api_server;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Figure;
use crate::support::{instance, traffic};

/// Services; each is a Deployment, a ReplicaSet, a Pod, two Services and a ConfigMap.
const SERVICES: usize = 200;
/// Objects of one service.
const OBJECTS: usize = 6;
/// Clusters of the measured memory.
const CLUSTERS: usize = 5;
/// Looks at each of them, so that what is kept from one to the next shows.
const LOOKS: usize = 5;
/// Services that are made at once.
const AT_ONCE: usize = 16;

/// Looks at all services of an environment on a real API server, of which all is as it should be.
pub async fn look(quick: bool) {
    let Some(server) = need_api_server("a large estate") else { return };
    let estate = Estate::new().await;
    let target = estate.target(server.kubeconfig(), "production");
    let services = if quick { SERVICES / 10 } else { SERVICES };
    let workloads: Vec<Workload> = (0..services).map(|number| workload("production", number)).collect();
    let release = release();
    iter(&workloads)
        .for_each_concurrent(AT_ONCE, |workload| async {
            target.ensure(workload, &release, 1, Fence(1)).await.unwrap();
            target.route(workload, &traffic(&[("1.0.0", 10_000)]), Fence(1)).await.unwrap();
        })
        .await;
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let begun = Instant::now();
        let seen = join_all(workloads.iter().map(|workload| target.observe(workload))).await;
        assert!(seen.iter().all(|seen| seen.as_ref().is_ok_and(|seen| seen.traffic.is_some())));
        best = best.min(begun.elapsed());
    }
    let seconds = best.as_secs_f64();
    let name = format!("kube.look_at_{}_objects_seconds", services * OBJECTS);
    Figure { name: &name, value: seconds, unit: "s", peer: None, goal: Some(("< 1", seconds < 1.0)) }.print();
}

/// What this process needs to look after the services of five clusters, whose API servers are simulated by other processes.
pub async fn memory() {
    let estate = Estate::new().await;
    let servers: Vec<Simulated> = (0..CLUSTERS).map(|_| Simulated::start()).collect();
    let targets: Vec<_> =
        servers.iter().map(|server| estate.target(&server.kubeconfig(&estate), "production")).collect();
    for _ in 0..LOOKS {
        for target in &targets {
            let workloads: Vec<Workload> =
                (0..SERVICES).map(|number| workload("production", number)).collect();
            let seen = join_all(workloads.iter().map(|workload| target.observe(workload))).await;
            assert!(
                seen.iter().all(|seen| seen.as_ref().is_ok_and(|seen| seen.instances.len() == 2)),
                "{:?}",
                seen[0]
            );
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let megabytes = resident_kib() / 1024.0;
    Figure {
        name: "kube.memory_200_services_on_each_of_5_simulated_clusters",
        value: megabytes,
        unit: "MiB",
        peer: None,
        goal: Some(("< 200", megabytes < 200.0)),
    }
    .print();
}

fn resident_kib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn workload(environment: &str, number: usize) -> Workload {
    Workload {
        environment: environment.parse().unwrap(),
        service: format!("service-{number}").parse().unwrap(),
    }
}

fn release() -> Release {
    let mut instance = instance();
    instance.image = Some("registry.example.com/shop/api:1.0.0".parse().unwrap());
    let id = ReleaseId { version: "1.0.0".parse().unwrap(), digest: Digest::from_bytes([1; 32]) };
    Release { id, instance }
}

/// What the targets of a bench share.
struct Estate {
    folder: TempDir,
    edge: HostEdge,
}

impl Estate {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("project")).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_kubernetes-host"));
        let process = ProcessConfig::new(&path("state"), &path("run"), program, &path("project"));
        let edge = HostEdge::start(&process).await.unwrap();
        Self { folder, edge }
    }

    fn target(&self, kubeconfig: &Path, environment: &str) -> KubernetesTarget {
        let project = self.folder.path().join("project");
        KubernetesTarget::open(KubernetesConfig {
            project: "shop".parse().unwrap(),
            environment: environment.parse().unwrap(),
            settings: KubernetesSettings {
                cluster: None,
                reach: ClusterReach::Kubeconfig {
                    file: Some(kubeconfig.to_string_lossy().into_owned()),
                    context: None,
                },
                namespace: "default".parse().unwrap(),
                traffic: KubernetesTraffic::Service,
                service_account: None,
                image_pull_secrets: Vec::new(),
                edge_image: None,
            },
            state_folder: self.folder.path().join("kubernetes"),
            secrets: SecretReader::new(&project, SecretSettings::default(), Known::default()),
            project_folder: project,
            host_edge: self.edge.clone(),
        })
        .unwrap()
    }
}

impl Drop for Estate {
    fn drop(&mut self) {
        let edge = self.edge.clone();
        let stop = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(edge.stop()).unwrap();
        };
        std::thread::spawn(stop).join().unwrap();
    }
}

/// A process that answers as an API server would.
struct Simulated {
    process: Child,
    port: u16,
}

impl Simulated {
    fn start() -> Self {
        let program = std::env::current_exe().unwrap();
        let mut process = Command::new(program).arg("simulate").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { process, port: line.trim().parse().unwrap() }
    }

    fn kubeconfig(&self, estate: &Estate) -> std::path::PathBuf {
        let file = estate.folder.path().join(format!("{}.kubeconfig", self.port));
        let named = |kind: &str, value: Value| json!([{"name": "it", kind: value}]);
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "it",
            "clusters": named("cluster", json!({"server": format!("http://127.0.0.1:{}", self.port)})),
            "users": named("user", json!({})),
            "contexts": named("context", json!({"cluster": "it", "user": "it"})),
        });
        std::fs::write(&file, config.to_string()).unwrap();
        file
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Answers until it is killed.
pub fn simulate() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let lists = std::sync::Arc::new(Lists::new());
    for stream in listener.incoming() {
        let lists = std::sync::Arc::clone(&lists);
        std::thread::spawn(move || answer(stream.unwrap(), &lists));
    }
}

fn answer(stream: TcpStream, lists: &Lists) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    if reader.read_line(&mut first).is_err() {
        return;
    }
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        line.clear();
    }
    let mut stream = stream;
    let path = first.split(' ').nth(1).unwrap_or_default();
    if path.contains("watch=true") {
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        // Nothing ever happens in this cluster.
        let mut rest = String::new();
        let _ = reader.read_line(&mut rest);
        return;
    }
    let kind = path.split('?').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    let (status, body) = match kind {
        "pods" if !path.contains("metrics.k8s.io") => ("200 OK", lists.pods.as_str()),
        "deployments" => ("200 OK", lists.deployments.as_str()),
        "services" => ("200 OK", lists.services.as_str()),
        // By which a cluster is known again; each has its own.
        "kube-system" => ("200 OK", lists.identity.as_str()),
        "statefulsets" => ("200 OK", r#"{"metadata":{"resourceVersion":"1"},"items":[]}"#),
        _ => ("404 Not Found", r#"{"code":404,"reason":"NotFound"}"#),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
}

struct Lists {
    identity: String,
    pods: String,
    deployments: String,
    services: String,
}

impl Lists {
    fn new() -> Self {
        let numbers = || 0..SERVICES;
        let list =
            |items: Vec<Value>| json!({"metadata": {"resourceVersion": "1"}, "items": items}).to_string();
        Self {
            identity: json!({"metadata": {"name": "kube-system", "uid": std::process::id().to_string()}})
                .to_string(),
            pods: list(numbers().flat_map(|number| [pod(number, "a"), pod(number, "b")]).collect()),
            deployments: list(numbers().map(deployment).collect()),
            services: list(
                numbers().flat_map(|number| [service(number, ""), service(number, "-v1-0-0")]).collect(),
            ),
        }
    }
}

fn labels(number: usize) -> Value {
    json!({"pilotage.dev/project": "shop", "pilotage.dev/environment": "production",
           "pilotage.dev/service": format!("service-{number}"), "pilotage.dev/version": "1-0-0"})
}

fn metadata(name: &str, number: usize) -> Value {
    // As large as what real servers remember of who wrote which field.
    let written: serde_json::Map<String, Value> =
        (0..60).map(|n| (format!("f:field-number-{n}"), json!({}))).collect();
    let release = json!(release().id).to_string();
    json!({"name": name, "uid": name, "resourceVersion": "1", "generation": 1, "labels": labels(number),
           "annotations": {"pilotage.dev/release": release, "pilotage.dev/spec": "x"},
           "managedFields": [{"manager": "pilotage", "operation": "Apply", "fieldsV1": written}]})
}

fn pod(number: usize, suffix: &str) -> Value {
    let image = release().instance.image.unwrap().pinned(&release().id.digest);
    json!({
        "metadata": metadata(&format!("service-{number}-v1-0-0-{suffix}"), number),
        "spec": {"nodeName": "node", "containers": [{"name": "service", "image": image, "ports": [{"containerPort": 8080}],
                 "env": (0..10).map(|n| json!({"name": format!("VARIABLE_{n}"), "value": "value"})).collect::<Vec<_>>()}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1", "conditions": [
            {"type": "Ready", "status": "True"}, {"type": "ContainersReady", "status": "True"}]}
    })
}

fn deployment(number: usize) -> Value {
    json!({
        "metadata": metadata(&format!("service-{number}-v1-0-0"), number),
        "spec": {"replicas": 2, "selector": {"matchLabels": labels(number)}, "template": {}},
        "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
    })
}

fn service(number: usize, suffix: &str) -> Value {
    json!({"metadata": metadata(&format!("service-{number}{suffix}"), number),
           "spec": {"selector": labels(number), "ports": [{"port": 80}]}})
}
