//! A world with one target in a namespace of its own on a real cluster, which goes with it.

#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(missing_docs, reason = "test support")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pilotage_kubernetes::{KubernetesConfig, KubernetesTarget};
use pilotage_secrets::{Known, SecretReader};
use pilotage_spec::{
    ClusterReach, Health, InstanceSpec, KubernetesSettings, KubernetesTraffic, Release, ReleaseId,
    SecretSettings, Version, Workload,
};
use pilotage_targets::{
    Artifact, Fence, HostEdge, Instance, InstanceState, Observation, ProcessConfig, Source, Target,
    TargetError, Traffic,
};
use pilotage_testing::Used;
use pilotage_testing::rig::{Docker, Image, Kube};
use tempfile::TempDir;

/// Long enough for any machine: tests wait for what they expect, and this only keeps them from waiting for ever.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// The token of the tests.
pub const FENCE: Fence = Fence(1);

const PROGRAM: &str = env!("CARGO_BIN_EXE_kubernetes-host");
const BUSYBOX: &str = "/bin/busybox";

pub struct World {
    pub folder: TempDir,
    pub config: KubernetesConfig,
    pub kube: Used<Kube>,
    docker: Arc<Docker>,
    target: Option<KubernetesTarget>,
}

impl World {
    pub async fn new(kube: Used<Kube>, traffic: KubernetesTraffic) -> Self {
        let kubeconfig = kube.kubeconfig().to_owned();
        Self::by(kube, kubeconfig, traffic).await
    }

    /// With another way to the cluster than the administrator's.
    pub async fn by(kube: Used<Kube>, kubeconfig: PathBuf, traffic: KubernetesTraffic) -> Self {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("project")).unwrap();
        let process = ProcessConfig::new(&path("state"), &path("run"), Path::new(PROGRAM), &path("project"));
        let number = WORLDS.fetch_add(1, Ordering::SeqCst);
        let namespace = format!("test-kube-{}-{number}", std::process::id());
        kube.kubectl(&["create", "namespace", &namespace]).unwrap();
        let docker = Arc::new(kube.docker().unwrap());
        let config = KubernetesConfig {
            project: "shop".parse().unwrap(),
            environment: "production".parse().unwrap(),
            settings: KubernetesSettings {
                cluster: None,
                reach: ClusterReach::Kubeconfig { file: Some(text(&kubeconfig)), context: None },
                namespace: namespace.parse().unwrap(),
                traffic,
                service_account: None,
                image_pull_secrets: Vec::new(),
                edge_image: None,
            },
            state_folder: path("kubernetes"),
            project_folder: path("project"),
            secrets: SecretReader::new(&path("project"), SecretSettings::default(), Known::default()),
            host_edge: HostEdge::start(&process).await.unwrap(),
        };
        let target = Some(KubernetesTarget::open(config.clone()).unwrap());
        Self { folder, config, kube, docker, target }
    }

    pub fn target(&self) -> &dyn Target {
        self.target.as_ref().unwrap()
    }

    /// The control plane ends, as if by SIGKILL, and another takes its place.
    pub fn restart_control_plane(&mut self) {
        drop(self.target.take());
        self.target = Some(KubernetesTarget::open(self.config.clone()).unwrap());
    }

    pub fn workload(&self) -> Workload {
        Workload { environment: self.config.environment.clone(), service: "api".parse().unwrap() }
    }

    pub fn namespace(&self) -> String {
        self.config.settings.namespace.to_string()
    }

    /// What `kubectl` answers in the namespace of this world.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let namespace = self.namespace();
        let words = [&["--namespace", namespace.as_str()][..], arguments].concat();
        self.kube.kubectl(&words).unwrap()
    }

    /// `kubectl apply` of a text.
    pub fn apply(&self, manifest: &str) {
        let file = self.folder.path().join("manifest.yaml");
        std::fs::write(&file, manifest).unwrap();
        self.kubectl(&["apply", "-f", &text(&file)]);
    }

    /// An image whose service answers with its version.
    pub async fn image(&self, version: &str) -> String {
        let (docker, version) = (Arc::clone(&self.docker), version.to_owned());
        let page = self.folder.path().join(format!("index-{version}"));
        tokio::task::spawn_blocking(move || {
            std::fs::write(&page, &version).unwrap();
            let image = Image {
                name: "kube-test",
                version: &version,
                program: Path::new(BUSYBOX),
                entrypoint: &[BUSYBOX, "httpd", "-f", "-p", "8080", "-h", "/www"],
                environment: &[],
                files: &[(&page, "/www/index.html")],
            };
            docker.push_image(&image).unwrap()
        })
        .await
        .unwrap()
    }

    /// A staged release whose service answers with its version; `run` in the place of it if there is any.
    pub async fn release(&self, version: &str, run: &[&str]) -> Release {
        let image = self.image(version).await.parse().unwrap();
        let source = Source::new(Artifact::Image(image), self::version(version));
        let staged = self.target().stage(&self.workload(), &source).await.unwrap();
        let Artifact::Image(image) = source.artifact else { unreachable!() };
        let mut instance = instance();
        instance.image = Some(image);
        instance.run = run.iter().map(|word| (*word).to_owned()).collect();
        Release { id: ReleaseId { version: self::version(version), digest: staged.digest }, instance }
    }

    pub async fn ensure(&self, release: &Release, replicas: u32) {
        self.try_ensure(release, replicas).await.unwrap();
    }

    pub async fn try_ensure(&self, release: &Release, replicas: u32) -> Result<(), TargetError> {
        self.target().ensure(&self.workload(), release, replicas, FENCE).await
    }

    pub async fn retire(&self, version: &str, keep: u32) {
        let version = self::version(version);
        self.target().retire(&self.workload(), &version, keep, FENCE).await.unwrap();
    }

    pub async fn observe(&self) -> Observation {
        self.target().observe(&self.workload()).await.unwrap()
    }

    /// Waits until an observation is as wanted, and returns it. A cluster that is away is waited for.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Observation) -> bool) -> Observation {
        let mut changes = self.target().changes();
        let mut last = None;
        let waiting = async {
            loop {
                changes.mark_unchanged();
                match self.target().observe(&self.workload()).await {
                    Ok(observation) if wanted(&observation) => return observation,
                    other => last = Some(other),
                }
                let _ = tokio::time::timeout(Duration::from_millis(500), changes.changed()).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(observation) => observation,
            Err(_) => panic!("waited in vain until {what}; last seen: {last:#?}"),
        }
    }

    /// Waits until so many instances of a version are ready.
    pub async fn ready(&self, version: &str, count: usize) -> Vec<Instance> {
        let what = format!("{count} of {version} are ready");
        let observation = self.until(&what, |seen| ready(seen, version).len() == count).await;
        ready(&observation, version)
    }

    /// Waits until an instance is given up, and says why.
    pub async fn failure(&self) -> String {
        let failed = |instance: &Instance| match &instance.state {
            InstanceState::Failed { reason } => Some(reason.clone()),
            _ => None,
        };
        let seen =
            self.until("an instance is given up", |seen| seen.instances.iter().any(|i| failed(i).is_some()));
        seen.await.instances.iter().find_map(failed).unwrap()
    }

    /// Waits until something is said about why an instance waits or was given up.
    pub async fn reason(&self, words: &str) -> String {
        let said = |instance: &Instance| match &instance.state {
            InstanceState::Failed { reason } | InstanceState::Waiting { reason } => Some(reason.clone()),
            _ => None,
        };
        let wanted = |reason: &String| reason.contains(words);
        let what = format!("something is said of `{words}`");
        let seen = self
            .until(&what, |seen| seen.instances.iter().filter_map(said).any(|reason| wanted(&reason)))
            .await;
        seen.instances.iter().filter_map(said).find(wanted).unwrap()
    }

    pub async fn route(&self, shares: &[(&str, u32)]) -> SocketAddr {
        let traffic = traffic(shares);
        self.target().route(&self.workload(), &traffic, FENCE).await.unwrap().listen
    }

    /// Ends the container of an instance from outside.
    pub fn crash(&self, instance: &str) {
        let pod = format!("label=io.kubernetes.pod.name={instance}");
        let namespace = format!("label=io.kubernetes.pod.namespace={}", self.namespace());
        let filters = [
            "--filter",
            &pod,
            "--filter",
            &namespace,
            "--filter",
            "label=io.kubernetes.container.name=service",
        ];
        let listed = self.docker.client().args(["ps", "-q"]).args(filters).output().unwrap();
        let container = String::from_utf8(listed.stdout).unwrap().trim().to_owned();
        assert!(!container.is_empty(), "{instance} has no container");
        assert!(self.docker.client().args(["kill", &container]).output().unwrap().status.success());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.target.take());
        let edge = self.config.host_edge.clone();
        let end = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(edge.stop()).unwrap();
        };
        // The runtime of the test cannot wait here.
        let ended = std::thread::spawn(end).join();
        let namespace = self.namespace();
        let deleted =
            self.kube.kubectl(&["delete", "namespace", &namespace, "--wait=false", "--ignore-not-found"]);
        if !std::thread::panicking() {
            ended.unwrap();
            deleted.unwrap();
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

pub fn instance() -> InstanceSpec {
    InstanceSpec {
        run: Vec::new(),
        env: BTreeMap::new(),
        health: Health {
            live: None,
            ready: Some("/".parse().unwrap()),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(5),
        },
        resources: Default::default(),
        stop_grace: Duration::from_secs(1),
        start_timeout: Duration::from_secs(90),
        smoke: Vec::new(),
        listen: Default::default(),
        protocol: Default::default(),
        image: None,
        container_port: None,
        kubernetes: None,
        objects: None,
        reload: None,
    }
}

pub fn version(text: &str) -> Version {
    text.parse().unwrap()
}

pub fn traffic(shares: &[(&str, u32)]) -> Traffic {
    Traffic {
        shares: shares.iter().map(|(name, share)| (version(name), *share)).collect(),
        hold_ms: 10_000,
        ..Traffic::new("127.0.0.1:0".parse().unwrap())
    }
}

pub fn ready(observation: &Observation, wanted: &str) -> Vec<Instance> {
    let wanted = version(wanted);
    let is_ready =
        |instance: &&Instance| instance.release.version == wanted && instance.state == InstanceState::Ready;
    observation.instances.iter().filter(is_ready).cloned().collect()
}

/// The body of one GET that was answered with 200.
pub async fn get(address: SocketAddr) -> Option<String> {
    tokio::task::spawn_blocking(move || fetch(address).ok().flatten()).await.unwrap()
}

/// The first body that is answered: the node's proxy learns of new endpoints when it can.
pub async fn get_soon(address: SocketAddr) -> Option<String> {
    let answered = async {
        loop {
            match get(address).await {
                Some(body) => return body,
                None => tokio::time::sleep(Duration::from_millis(200)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, answered).await.ok()
}

fn fetch(address: SocketAddr) -> std::io::Result<Option<String>> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let whole = answer.split_once("\r\n\r\n").filter(|(head, _)| head.starts_with("HTTP/1.1 200"));
    Ok(whole.map(|(_, body)| body.to_owned()))
}
