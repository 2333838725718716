//! A second Docker Engine, the only node of a swarm. It uses the registry of the first.
//!
//! What works depends on the kernel. Swarm balances the virtual address of a service and its ingress network with IP_VS,
//! which kernels of build machines often lack; then neither a service's name in `vip` mode nor a port published in ingress
//! mode answers. These answer everywhere:
//!
//! - a task at its address on `docker_gwbridge`, which every task on an overlay network has (`172.28.128.0/17`);
//! - a task at its address on the engine's bridge, if the service is on the predefined network `bridge`;
//! - a port published in host mode (`--publish mode=host,target=8080`);
//! - a service on the predefined network `host`;
//! - the names of tasks in `--endpoint-mode dnsrr`, from other tasks on the same overlay network.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::engine::{self, Layout};
use super::lock::{self, Use};
use super::state::{self, State};
use super::{Docker, RigError, command, docker, folder, mounts, network, port};

const NAME: &str = "swarm";

const LAYOUT: Layout = Layout { bridge: "pilotage1", network: "172.28", live_restore: false };

/// The network that a swarm makes on the machine for its tasks.
const GATEWAY_BRIDGE: &str = "docker_gwbridge";

/// A swarm of one engine.
#[derive(Debug)]
pub struct Swarm {
    socket: PathBuf,
    registry: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Facts {
    socket: PathBuf,
    registry: String,
}

impl Swarm {
    /// The unix socket of its only engine, a manager.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The registry that it pulls from: `127.0.0.1:PORT`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The Docker rig, whose engine builds images for the registry that both use.
    ///
    /// # Errors
    ///
    /// It is not up.
    pub fn docker(&self) -> Result<Docker, RigError> {
        docker::found()?.ok_or(RigError::Down { rig: "docker" })
    }

    /// The command line client `docker`, talking to this engine.
    pub fn client(&self) -> Command {
        engine::client(&self.socket)
    }

    /// Kills `dockerd` or `containerd`. Tasks end with dockerd: an engine in a swarm cannot keep them. Only for who uses
    /// the rig alone.
    ///
    /// # Errors
    ///
    /// No such part.
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
        state.start_again(part, |daemon, _| engine::ready(daemon, &run))
    }
}

/// The running rig, after having started again whatever a test killed.
pub(crate) fn healed() -> Result<Option<Swarm>, RigError> {
    if let Some(swarm) = found()? {
        return Ok(Some(swarm));
    }
    let _change = lock::for_change()?;
    heal()
}

fn heal() -> Result<Option<Swarm>, RigError> {
    let run = folder::run(NAME)?;
    if let Some(mut state) = State::<Facts>::load(&run)? {
        state.heal(|daemon, _| engine::ready(daemon, &run))?;
    }
    found()
}

/// Brings it up, with the Docker rig if that is not up, or finds it as it runs.
///
/// # Errors
///
/// What is missing, or what did not get ready.
pub fn up() -> Result<Swarm, RigError> {
    if let Some(swarm) = found()? {
        return Ok(swarm);
    }
    let _no_test = lock::for_test(lock::ENGINE, Use::Alone)?;
    let _alone = lock::for_remake(lock::SWARM)?;
    let docker = docker::up_unlocked()?;
    // One that cannot be mended is replaced.
    if let Ok(Some(swarm)) = heal() {
        return Ok(swarm);
    }
    down_unlocked()?;
    let run = folder::run(NAME)?;
    folder::make_private(&run)?;
    let facts = Facts { socket: engine::socket(&run), registry: docker.registry().to_owned() };
    let mut state = State::new(&run, facts);
    state.save()?;
    engine::start(&mut state, &run, LAYOUT)?;
    join(&state.facts.socket)?;
    state.finish()?;
    Ok(of(state.facts))
}

/// Makes the engine the first and only node.
fn join(socket: &Path) -> Result<(), RigError> {
    let [listen, data] = port::free()?;
    let gateway = LAYOUT.gateway();
    let mut init = engine::client(socket);
    init.args(["swarm", "init", "--task-history-limit", "2"]);
    init.args(["--advertise-addr", &format!("{gateway}:{listen}"), "--listen-addr"]);
    init.args([&format!("{gateway}:{listen}"), "--data-path-port", &data.to_string()]);
    init.args(["--default-addr-pool", &format!("{}.64.0/18", LAYOUT.network)]);
    command::output(&mut init).map(drop)
}

/// The running rig.
pub(crate) fn found() -> Result<Option<Swarm>, RigError> {
    let state = State::<Facts>::load(&folder::run(NAME)?)?.filter(State::runs);
    Ok(state.map(|state| of(state.facts)))
}

/// Whether all of it runs.
///
/// # Errors
///
/// A record that cannot be read.
pub fn is_up() -> Result<bool, RigError> {
    Ok(found()?.is_some())
}

/// Waits until no test uses it, and ends it. Nothing to do is fine.
///
/// # Errors
///
/// The first thing that could not be ended or removed.
pub fn down() -> Result<(), RigError> {
    let _alone = lock::for_remake(lock::SWARM)?;
    down_unlocked()
}

pub(crate) fn down_unlocked() -> Result<(), RigError> {
    let run = folder::run(NAME)?;
    let Some(mut state) = State::<Facts>::load(&run)? else { return mounts::remove_folder(&run) };
    // Services would replace the containers that are removed.
    let _ = command::output(engine::client(&state.facts.socket).args(["swarm", "leave", "--force"]));
    engine::end(&mut state, &run)?;
    for bridge in [LAYOUT.bridge, GATEWAY_BRIDGE] {
        network::remove_rules_about(bridge);
        network::remove_interface(bridge)?;
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

fn of(facts: Facts) -> Swarm {
    Swarm { socket: facts.socket, registry: facts.registry }
}
