//! A world with one process target in folders of its own, which leaves nothing behind.

#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(missing_docs, reason = "test support")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere")]

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pilotage_spec::{
    Digest, Health, InstanceSpec, ListenOn, Protocol, Release, ReleaseId, Resources, Value, Version, Workload,
};
use pilotage_targets::{
    Address, Fence, Instance, InstanceState, Observation, ProcessConfig, ProcessTarget, Source, Target,
    Traffic,
};
use tempfile::TempDir;

/// Long enough for any machine: tests wait for what they expect, and this only keeps them from waiting for ever.
pub const PATIENCE: Duration = Duration::from_secs(40);

pub struct World {
    pub folder: TempDir,
    pub config: ProcessConfig,
    target: Option<ProcessTarget>,
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let program = PathBuf::from(env!("CARGO_BIN_EXE_target-host"));
        std::fs::create_dir(path("project")).unwrap();
        let config = ProcessConfig::new(&path("state"), &path("run"), &program, &path("project"));
        let target = ProcessTarget::open(config.clone()).await.unwrap();
        Self { folder, config, target: Some(target) }
    }

    pub fn target(&self) -> &ProcessTarget {
        self.target.as_ref().unwrap()
    }

    /// The control plane ends, as if by SIGKILL, and another takes its place.
    pub async fn restart_control_plane(&mut self) {
        drop(self.target.take());
        self.target = Some(ProcessTarget::open(self.config.clone()).await.unwrap());
    }

    pub fn workload(&self) -> Workload {
        Workload { environment: "test".parse().unwrap(), service: "api".parse().unwrap() }
    }

    async fn stage(&self, path: &Path) -> Digest {
        let source = Source::new(path.to_owned().into(), "1.0.0".parse().unwrap());
        self.target().stage(&self.workload(), &source).await.unwrap().digest
    }

    /// A release of the test service with these faults.
    pub async fn release(&self, version: &str, faults: &[&str]) -> Release {
        let digest = self.stage(&self.config.program).await;
        let run = ["./target-host", "service"].iter().chain(faults).map(|word| (*word).to_owned()).collect();
        release(version, digest, run)
    }

    /// A release made of one script.
    pub async fn script(&self, version: &str, name: &str, content: &str, mode: u32) -> Release {
        use std::os::unix::fs::PermissionsExt;
        let folder = self.folder.path().join(format!("artifact-{version}"));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let digest = self.stage(&folder).await;
        release(version, digest, vec![format!("./{name}")])
    }

    pub async fn ensure(&self, release: &Release, replicas: u32) {
        self.target().ensure(&self.workload(), release, replicas, Fence(1)).await.unwrap();
    }

    pub async fn observe(&self) -> Observation {
        self.target().observe(&self.workload()).await.unwrap()
    }

    /// Waits until an observation is as wanted, and returns it.
    pub async fn until(&self, what: &str, wanted: impl Fn(&Observation) -> bool) -> Observation {
        let mut changes = self.target().changes();
        let mut last = None;
        let waiting = async {
            loop {
                changes.mark_unchanged();
                let observation = self.observe().await;
                if wanted(&observation) {
                    return observation;
                }
                last = Some(observation);
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
        let observation = self
            .until(&format!("{count} of {version} are ready"), |o| ready(o, version).len() == count)
            .await;
        ready(&observation, version)
    }

    /// Waits until the only instance is given up, and says why.
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

    /// The file in which a shim writes down who it is.
    pub fn identity(&self, instance: &str) -> serde_json::Value {
        let path = self.config.state_folder.join("instances").join(instance).join("identity.json");
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    }

    pub fn shim_pid(&self, instance: &str) -> u32 {
        self.identity(instance)["shim"]["pid"].as_u64().unwrap() as u32
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.target.take());
        let config = self.config.clone();
        let end = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async { ProcessTarget::open(config).await?.shutdown().await })
        };
        // The runtime of the test cannot wait here.
        let ended = std::thread::spawn(end).join();
        if !std::thread::panicking() {
            ended.unwrap().unwrap();
        }
    }
}

pub fn release(version: &str, digest: Digest, run: Vec<String>) -> Release {
    let instance = InstanceSpec {
        run,
        env: BTreeMap::new(),
        health: Health {
            live: Some("/live".parse().unwrap()),
            ready: Some("/ready".parse().unwrap()),
            interval: Duration::from_millis(50),
            timeout: Duration::from_secs(5),
        },
        resources: Resources::default(),
        stop_grace: Duration::from_secs(5),
        start_timeout: Duration::from_secs(30),
        reload: None,
        image: None,
        container_port: None,
        kubernetes: None,
        objects: None,
        smoke: Vec::new(),
        listen: ListenOn::default(),
        protocol: Protocol::default(),
    };
    Release { id: ReleaseId { version: self::version(version), digest }, instance }
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

/// The TCP address of an instance that has one.
pub fn tcp(instance: &Instance) -> SocketAddr {
    match &instance.address {
        Some(Address::Tcp(address)) => *address,
        other => panic!("{other:?} is no TCP address"),
    }
}

/// One GET; status and body. Blocks, so that it can be used from a thread that makes load.
pub fn get(address: SocketAddr, path: &str) -> std::io::Result<(u16, String)> {
    get_of(address, "test", path)
}

/// The same, for a host.
pub fn get_of(address: SocketAddr, host: &str, path: &str) -> std::io::Result<(u16, String)> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    exchange(stream, host, path)
}

/// The same, over a unix socket.
pub fn get_unix(socket: &Path, path: &str) -> std::io::Result<(u16, String)> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    exchange(stream, "test", path)
}

fn exchange(mut stream: impl Read + Write, host: &str, path: &str) -> std::io::Result<(u16, String)> {
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n")?;
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

pub async fn ask(address: SocketAddr, path: &'static str) -> (u16, String) {
    tokio::task::spawn_blocking(move || get(address, path)).await.unwrap().unwrap()
}

pub fn is_running(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap_or("").trim_start().starts_with('Z'))
}

/// Waits until something outside of the target is so.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut check: impl FnMut() -> F) {
    let begin = std::time::Instant::now();
    while !check().await {
        assert!(begin.elapsed() < PATIENCE, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub fn kill(pid: u32) {
    use rustix::process::{Pid, Signal, kill_process};
    kill_process(Pid::from_raw(pid as i32).unwrap(), Signal::KILL).unwrap();
}

/// The Python itself: version managers put a script in its place, which costs more than it does.
pub fn interpreter(python: &Path) -> String {
    let asked = std::process::Command::new(python).args(["-c", "import sys; print(sys.executable)"]).output();
    String::from_utf8(asked.unwrap().stdout).unwrap().trim().to_owned()
}

pub fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
