//! A Docker Engine with a registry.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::daemon::Daemon;
use super::engine::{self, Layout};
use super::lock;
use super::program::{self, FOR_DOCKER};
use super::state::{self, State};
use super::{RigError, folder, kube, mounts, network, port, registry, swarm};

const NAME: &str = "docker";

const LAYOUT: Layout = Layout { bridge: "pilotage0", network: "172.29", live_restore: true };

/// The chains that Docker makes.
const CHAINS: &str = "DOCKER";

/// An engine that runs, and where to find it. With `docker` of any kind: `DOCKER_HOST=unix://SOCKET`.
#[derive(Debug)]
pub struct Docker {
    socket: PathBuf,
    registry: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Facts {
    socket: PathBuf,
    /// Such as `127.0.0.1:5000`.
    registry: String,
    forwarding_before: bool,
    chains_before: bool,
}

impl Docker {
    /// One that runs elsewhere, or that somebody else looks after.
    pub(crate) fn at(socket: PathBuf, registry: String) -> Self {
        Self { socket, registry }
    }

    /// Its unix socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The registry that it can push to and pull from: `127.0.0.1:PORT`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The command line client `docker`, talking to this engine.
    pub fn client(&self) -> Command {
        engine::client(&self.socket)
    }

    /// The machine's address on the engine's bridge.
    pub fn gateway() -> String {
        LAYOUT.gateway()
    }

    /// The name of that bridge.
    pub(crate) fn bridge() -> &'static str {
        LAYOUT.bridge
    }

    /// Kills one program of the rig: `dockerd`, `containerd` or `registry`. Containers go on. Only for who uses the rig
    /// alone.
    ///
    /// # Errors
    ///
    /// No such part, or a rig that is not ours.
    pub fn kill(&self, part: &str) -> Result<(), RigError> {
        recorded()?.0.kill(part)
    }

    /// Starts a killed program again, exactly as it was, and waits until it does its work.
    ///
    /// # Errors
    ///
    /// No such part, or one that does not get ready.
    pub fn start(&self, part: &str) -> Result<(), RigError> {
        let (mut state, run) = recorded()?;
        state.start_again(part, |daemon, facts| ready(daemon, facts, &run))
    }
}

/// The running rig, after having started again whatever a test killed.
pub(crate) fn healed() -> Result<Option<Docker>, RigError> {
    if let Some(docker) = found()? {
        return Ok(Some(docker));
    }
    let _change = lock::for_change()?;
    heal()
}

fn heal() -> Result<Option<Docker>, RigError> {
    let run = folder::run(NAME)?;
    if let Some(mut state) = State::<Facts>::load(&run)? {
        state.heal(|daemon, facts| ready(daemon, facts, &run))?;
    }
    found()
}

/// Brings it up, or finds it as it runs.
///
/// # Errors
///
/// What is missing, or what did not get ready.
pub fn up() -> Result<Docker, RigError> {
    if let Some(docker) = found()? {
        return Ok(docker);
    }
    let _alone = lock::for_remake(lock::ENGINE)?;
    up_unlocked()
}

pub(crate) fn up_unlocked() -> Result<Docker, RigError> {
    // One that cannot be mended is replaced.
    if let Ok(Some(docker)) = heal() {
        return Ok(docker);
    }
    if !rustix::process::geteuid().is_root() {
        return Err(RigError::Unfit("containers need root; run this as root"));
    }
    program::require(&FOR_DOCKER)?;
    // What is left of one that was killed.
    down_unlocked()?;
    let run = folder::run(NAME)?;
    folder::make_private(&run)?;
    let [port] = port::free()?;
    let facts = Facts {
        socket: engine::socket(&run),
        registry: format!("127.0.0.1:{port}"),
        forwarding_before: network::forward()?,
        chains_before: network::has_chains(CHAINS),
    };
    let mut state = State::new(&run, facts);
    state.save()?;
    engine::start(&mut state, &run, LAYOUT)?;
    state.start(registry::daemon(&run, port, None)?)?;
    ready(state.daemon("registry")?, &state.facts, &run)?;
    state.finish()?;
    Ok(Docker::at(state.facts.socket, state.facts.registry))
}

/// The running rig.
pub(crate) fn found() -> Result<Option<Docker>, RigError> {
    let state = State::<Facts>::load(&folder::run(NAME)?)?.filter(State::runs);
    Ok(state.map(|state| Docker::at(state.facts.socket, state.facts.registry)))
}

/// Whether all of it runs.
///
/// # Errors
///
/// A record that cannot be read.
pub fn is_up() -> Result<bool, RigError> {
    Ok(found()?.is_some())
}

/// Waits until no test uses it, ends it, with the rigs that stand on it, and takes back what it changed on the machine.
/// Nothing to do is fine.
///
/// # Errors
///
/// The first thing that could not be ended or removed.
pub fn down() -> Result<(), RigError> {
    let _alone = lock::for_remake(lock::ENGINE)?;
    down_unlocked()
}

fn down_unlocked() -> Result<(), RigError> {
    kube::down_unlocked()?;
    swarm::down_unlocked()?;
    let run = folder::run(NAME)?;
    let Some(mut state) = State::<Facts>::load(&run)? else { return mounts::remove_folder(&run) };
    engine::end(&mut state, &run)?;
    network::remove_rules_about(LAYOUT.bridge);
    network::remove_interface(LAYOUT.bridge)?;
    if !state.facts.chains_before {
        network::remove_chains(CHAINS);
    }
    if !state.facts.forwarding_before {
        network::set_forwarding(false)?;
    }
    mounts::remove_folder(&run)
}

/// What there is of it, a line a part.
///
/// # Errors
///
/// A record that cannot be read.
pub fn status() -> Result<Vec<String>, RigError> {
    let Some(state) = State::<Facts>::load(&folder::run(NAME)?)? else { return Ok(Vec::new()) };
    let mut lines = state.lines();
    lines.push(state::line("engine", &format!("unix://{}", state.facts.socket.display())));
    lines.push(state::line("registry", &state.facts.registry));
    Ok(lines)
}

fn recorded() -> Result<(State<Facts>, PathBuf), RigError> {
    let run = folder::run(NAME)?;
    let state = State::load(&run)?.ok_or(RigError::Down { rig: NAME })?;
    Ok((state, run))
}

fn ready(daemon: &Daemon, facts: &Facts, run: &Path) -> Result<(), RigError> {
    match daemon.name.as_str() {
        "registry" => registry::ready(daemon, &facts.registry),
        _ => engine::ready(daemon, run),
    }
}
