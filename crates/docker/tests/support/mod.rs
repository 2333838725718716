//! A world with one target on a real engine, which leaves nothing behind.

#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(missing_docs, reason = "test support")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use pilotage_docker::{DockerConfig, DockerTarget, SwarmTarget};
use pilotage_secrets::{Known, SecretReader};
use pilotage_spec::{
    DockerSettings, Health, ImageReference, InstanceSpec, Release, ReleaseId, SecretSettings, Value, Version,
    Workload,
};
use pilotage_targets::{
    Address, Artifact, Claims, Fence, HostEdge, Instance, InstanceState, Observation, ProcessConfig, Source,
    Target, Traffic,
};
use pilotage_testing::Used;
use pilotage_testing::rig::{Docker, Image, Swarm};
use tempfile::TempDir;

/// Long enough for any machine: tests wait for what they expect, and this only keeps them from waiting for ever.
pub const PATIENCE: Duration = Duration::from_secs(90);

const PROGRAM: &str = env!("CARGO_BIN_EXE_docker-host");

/// A real engine, which nobody takes down meanwhile.
pub enum Rig {
    Docker(Used<Docker>),
    Swarm(Used<Swarm>),
}

impl Rig {
    pub fn socket(&self) -> PathBuf {
        match self {
            Self::Docker(docker) => docker.socket().to_owned(),
            Self::Swarm(swarm) => swarm.socket().to_owned(),
        }
    }

    fn push(&self, image: &Image<'_>) -> String {
        match self {
            Self::Docker(docker) => docker.push_image(image).unwrap(),
            Self::Swarm(swarm) => swarm.docker().unwrap().push_image(image).unwrap(),
        }
    }
}

pub struct World {
    pub folder: TempDir,
    pub config: DockerConfig,
    rig: Arc<Rig>,
    target: Option<Arc<dyn Target>>,
}

impl World {
    pub async fn new(rig: Rig) -> Self {
        Self::with(rig, |_| ()).await
    }

    /// With settings that are not the usual ones.
    pub async fn with(rig: Rig, change: impl FnOnce(&mut DockerConfig)) -> Self {
        static WORLDS: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::tempdir().unwrap();
        let host = format!("unix://{}", rig.socket().display());
        let path = |name: &str| folder.path().join(name);
        let process = ProcessConfig::new(&path("state"), &path("run"), Path::new(PROGRAM), &path("project"));
        for name in ["project", "claims"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        let number = WORLDS.fetch_add(1, Ordering::SeqCst);
        let secrets = SecretReader::new(&path("project"), SecretSettings::default(), Known::default());
        let mut config = DockerConfig {
            project: format!("test-{}-{number}", std::process::id()).parse().unwrap(),
            environment: "test".parse().unwrap(),
            settings: DockerSettings::at(host.parse().unwrap()),
            project_folder: path("project"),
            run_folder: path("run"),
            secrets,
            edge: HostEdge::start(&process).await.unwrap(),
            claims: Claims::new(&path("claims")),
            ssh_program: "ssh".into(),
        };
        change(&mut config);
        let target = Some(open(&rig, &config));
        Self { folder, config, rig: Arc::new(rig), target }
    }

    /// The engine of a world on Docker.
    pub fn engine(&self) -> &Docker {
        match self.rig.as_ref() {
            Rig::Docker(docker) => docker,
            Rig::Swarm(_) => panic!("this world is on a swarm"),
        }
    }

    pub fn target(&self) -> &dyn Target {
        self.target.as_ref().unwrap().as_ref()
    }

    /// The control plane ends, as if by SIGKILL, and another takes its place.
    pub fn restart_control_plane(&mut self) {
        drop(self.target.take());
        self.target = Some(open(&self.rig, &self.config));
    }

    pub fn workload(&self) -> Workload {
        Workload { environment: self.config.environment.clone(), service: "api".parse().unwrap() }
    }

    /// The image of the test service with these faults.
    pub async fn image(&self, version: &str, faults: &[&str]) -> ImageReference {
        let rig = Arc::clone(&self.rig);
        let (version, faults) = (version.to_owned(), faults.join(" "));
        let pushed = tokio::task::spawn_blocking(move || {
            let words: Vec<&str> = faults.split_whitespace().collect();
            let entrypoint = [&["/bin/docker-host", "service"][..], &words].concat();
            let image = Image {
                name: "docker-host",
                version: &format!("{version}{}", words.join("-").replace('=', "-")),
                program: Path::new(PROGRAM),
                entrypoint: &entrypoint,
                environment: &[],
                files: &[],
            };
            rig.push(&image)
        });
        pushed.await.unwrap().parse().unwrap()
    }

    /// A staged release of the test service with these faults.
    pub async fn release(&self, version: &str, faults: &[&str]) -> Release {
        let image = self.image(version, faults).await;
        self.release_of(version, image).await
    }

    pub async fn release_of(&self, version: &str, image: ImageReference) -> Release {
        let source = Source::new(Artifact::Image(image.clone()), self::version(version));
        let staged = self.target().stage(&self.workload(), &source).await.unwrap();
        let mut instance = instance();
        instance.image = Some(image);
        Release { id: ReleaseId { version: self::version(version), digest: staged.digest }, instance }
    }

    pub async fn ensure(&self, release: &Release, replicas: u32) {
        self.target().ensure(&self.workload(), release, replicas, Fence(1)).await.unwrap();
    }

    pub async fn observe(&self) -> Observation {
        self.target().observe(&self.workload()).await.unwrap()
    }

    /// Waits until an observation is as wanted, and returns it. An engine that is away is waited for.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Observation) -> bool) -> Observation {
        let mut changes = self.target().changes();
        let mut last = None;
        let waiting = async {
            loop {
                changes.mark_unchanged();
                let observation = self.target().observe(&self.workload()).await;
                match observation {
                    Ok(observation) if wanted(&observation) => return observation,
                    other => last = Some(other),
                }
                let _ = tokio::time::timeout(Duration::from_millis(200), changes.changed()).await;
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
        let observation = self.until(&what, |o| ready(o, version).len() == count).await;
        ready(&observation, version)
    }

    /// Waits until an instance is given up, and says why.
    pub async fn failure(&self) -> String {
        let failed = |instance: &Instance| match &instance.state {
            InstanceState::Failed { reason } => Some(reason.clone()),
            _ => None,
        };
        let observation =
            self.until("an instance is given up", |o| o.instances.iter().any(|i| failed(i).is_some())).await;
        observation.instances.iter().find_map(failed).unwrap()
    }

    pub async fn route(&self, shares: &[(&str, u32)]) -> SocketAddr {
        let traffic = traffic(shares);
        self.target().route(&self.workload(), &traffic, Fence(1)).await.unwrap().listen
    }

    /// The command line client, talking to the engine of this world.
    pub fn docker(&self, arguments: &[&str]) -> String {
        let mut command = match self.rig.as_ref() {
            Rig::Docker(docker) => docker.client(),
            Rig::Swarm(swarm) => swarm.client(),
        };
        let output = command.args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Writes a file of the project.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.config.project_folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

fn open(rig: &Rig, config: &DockerConfig) -> Arc<dyn Target> {
    match rig {
        Rig::Docker(_) => Arc::new(DockerTarget::open(config.clone()).unwrap()),
        Rig::Swarm(_) => Arc::new(SwarmTarget::open(config.clone()).unwrap()),
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.target.take());
        let (rig, config, workload) = (Arc::clone(&self.rig), self.config.clone(), self.workload());
        let end = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let removed = open(&rig, &config).remove(&workload, Fence(u64::MAX)).await;
                config.edge.stop().await.and(removed)
            })
        };
        // The runtime of the test cannot wait here.
        let ended = std::thread::spawn(end).join();
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

pub fn instance() -> InstanceSpec {
    InstanceSpec {
        run: Vec::new(),
        env: BTreeMap::new(),
        health: Health {
            live: Some("/live".parse().unwrap()),
            ready: Some("/ready".parse().unwrap()),
            interval: Duration::from_millis(100),
            timeout: Duration::from_secs(5),
        },
        resources: Default::default(),
        stop_grace: Duration::from_secs(1),
        start_timeout: Duration::from_secs(60),
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

pub fn set_env(release: &mut Release, name: &str, value: Value) {
    release.instance.env.insert(name.parse().unwrap(), value);
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

/// The address of an instance that has one.
pub fn address(instance: &Instance) -> SocketAddr {
    match &instance.address {
        Some(Address::Tcp(address)) => *address,
        other => panic!("{other:?} is no TCP address"),
    }
}

/// One GET; status and body. Blocks, so that it can be used from a thread that makes load.
pub fn get(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk)?;
        answer.extend_from_slice(&chunk[..count]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok()
            });
            if count == 0 || length.is_some_and(|length| body.len() >= length) {
                let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
                return Ok((status, body.to_owned()));
            }
        } else if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

pub async fn ask(address: SocketAddr, path: &str) -> (u16, String) {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || get(address, &path)).await.unwrap().unwrap()
}

/// Waits until something outside of the target is so.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let begin = std::time::Instant::now();
    while !check().await {
        assert!(begin.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
