//! A Docker Engine of its own: containerd and dockerd with their own folders, socket and bridge.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::daemon::Daemon;
use super::program::{CONTAINERD, DOCKER, DOCKERD};
use super::state::{Record, State};
use super::{RigError, command, folder, http, network, wait};

/// How an engine differs from another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Its bridge on the machine.
    pub bridge: &'static str,
    /// The first two numbers of its addresses: the bridge has `.0.1/24`, networks that are created later `.128.0/17`.
    pub network: &'static str,
    /// Whether containers go on when dockerd ends. An engine in a swarm cannot do that.
    pub live_restore: bool,
}

/// How long an engine has for getting ready on a busy machine.
const READY_TIME: Duration = Duration::from_secs(60);

/// The number by which the kernel knows a file system that is an overlay (`statfs(2)`).
const OVERLAY: i64 = 0x794c_7630;

impl Layout {
    /// The machine's address on the bridge.
    pub(crate) fn gateway(self) -> String {
        format!("{}.0.1", self.network)
    }
}

/// Where the engine in this folder listens.
pub(crate) fn socket(run: &Path) -> PathBuf {
    run.join("d.sock")
}

/// Starts both programs and returns when the engine answers.
pub(crate) fn start<Facts: Record>(
    state: &mut State<Facts>,
    run: &Path,
    layout: Layout,
) -> Result<(), RigError> {
    network::make_bridge(layout.bridge, &format!("{}/24", layout.gateway()))?;
    let runtime = write_runtime(run)?;
    folder::write(&run.join("containerd.toml"), containerd_configuration(run))?;
    folder::write(&run.join("daemon.json"), daemon_configuration(run, layout, &runtime).to_string())?;
    let containerd = Daemon::new("containerd", CONTAINERD.path(), run)
        .argument("--config")
        .argument(folder::text(&run.join("containerd.toml")));
    state.start(containerd)?;
    ready(state.daemon("containerd")?, run)?;
    let mut dockerd = Daemon::new("dockerd", DOCKERD.path(), run)
        .argument("--config-file")
        .argument(folder::text(&run.join("daemon.json")))
        // Lowering it needs a capability that build machines lack.
        .argument("--oom-score-adjust=0");
    dockerd.pid_file = Some(run.join("dockerd.pid"));
    state.start(dockerd)?;
    ready(state.daemon("dockerd")?, run)
}

/// Waits until a just started program of the engine does its work.
pub(crate) fn ready(daemon: &Daemon, run: &Path) -> Result<(), RigError> {
    let socket = socket(run);
    wait::ready(daemon, READY_TIME, || match daemon.name.as_str() {
        "containerd" => std::os::unix::net::UnixStream::connect(run.join("c.sock")).is_ok(),
        _ => http::get_unix(&socket, "/_ping").is_ok_and(|(status, _)| status == 200),
    })
}

/// The command line client, talking to this engine and reading nobody's settings.
pub(crate) fn client(socket: &Path) -> Command {
    let mut command = Command::new(DOCKER.path);
    command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    // Not the machine owner's contexts and passwords.
    command.env("DOCKER_CONFIG", socket.with_file_name("client"));
    // The classic builder is part of the engine; BuildKit's client is another package.
    command.env("DOCKER_BUILDKIT", "0");
    command
}

/// Removes all containers that fit the filter: they would outlive the engine.
pub(crate) fn remove_containers(socket: &Path, filter: &[&str]) -> Result<(), RigError> {
    let list = ["ps", "--all", "--quiet", "--no-trunc"];
    let listed = command::output(client(socket).args(list).args(filter))?;
    let ids: Vec<&str> = listed.lines().collect();
    if !ids.is_empty() {
        command::output(client(socket).args(["rm", "--force", "--volumes"]).args(ids))?;
    }
    Ok(())
}

/// Removes the networks that were created on it, with their bridges.
fn remove_networks(socket: &Path) -> Result<(), RigError> {
    command::output(client(socket).args(["network", "prune", "--force"])).map(drop)
}

fn containerd_configuration(run: &Path) -> String {
    format!(
        "version = 2\n\
         root = {root:?}\n\
         state = {state:?}\n\
         disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
         [grpc]\n\
         address = {socket:?}\n",
        root = run.join("containerd"),
        state = run.join("containerd-state"),
        socket = run.join("c.sock"),
    )
}

fn daemon_configuration(run: &Path, layout: Layout, runtime: &Path) -> Value {
    json!({
        "hosts": [format!("unix://{}", socket(run).display())],
        "data-root": run.join("data"),
        "exec-root": run.join("exec"),
        "pidfile": run.join("dockerd.pid"),
        "containerd": run.join("c.sock"),
        "storage-driver": storage_driver(run),
        "bridge": layout.bridge,
        "default-address-pools": [{"base": format!("{}.128.0/17", layout.network), "size": 24}],
        // Published ports are for this machine only.
        "ip": "127.0.0.1",
        "live-restore": layout.live_restore,
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "runtimes": {"rig": {"path": runtime, "runtimeArgs": ["runc"]}},
        "default-runtime": "rig",
        "shutdown-timeout": 5,
    })
}

/// Overlays cannot lie on an overlay, as when the machine is itself a container.
fn storage_driver(run: &Path) -> &'static str {
    let on_overlay = rustix::fs::statfs(run).is_ok_and(|system| system.f_type == OVERLAY);
    if on_overlay { "vfs" } else { "overlay2" }
}

/// Keeps a copy of the program that runs now, of which [`super::runtime`] is a part: the original may be built anew.
fn write_runtime(run: &Path) -> Result<PathBuf, RigError> {
    let own = std::env::current_exe().map_err(RigError::file(Path::new("/proc/self/exe")))?;
    let copy = run.join("runtime");
    fs::copy(&own, &copy)
        .and_then(|_| fs::set_permissions(&copy, fs::Permissions::from_mode(0o700)))
        .map_err(RigError::file(&copy))?;
    Ok(copy)
}

/// Removes what runs on the engine and ends both programs. One of which a part has died is started again for that,
/// since its containers may live.
pub(crate) fn end<Facts: Record>(state: &mut State<Facts>, run: &Path) -> Result<(), RigError> {
    if let Err(error) = empty(state, run) {
        // The rest has to go all the same.
        eprintln!("containers may be left: {error}");
    }
    let stopped = state.stop_all();
    state.save()?;
    stopped
}

fn empty<Facts: Record>(state: &mut State<Facts>, run: &Path) -> Result<(), RigError> {
    if state.daemon("dockerd").is_err() {
        return Ok(());
    }
    for name in ["containerd", "dockerd"] {
        state.start_again(name, |daemon, _| ready(daemon, run))?;
    }
    let socket = socket(run);
    remove_containers(&socket, &[])?;
    remove_networks(&socket)
}
