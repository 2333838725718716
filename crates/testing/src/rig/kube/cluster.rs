//! The running cluster: brought up, found, changed, ended.

use std::path::Path;
use std::time::Duration;

use super::certificates::Certificates;
use super::facts::CHAINS;
use super::parts::{NODE, Parts, kubeconfig_file, ready};
use super::user::ADMIN;
use super::{Facts, Kube, definitions, source};
use crate::rig::program::{self, FOR_KUBE};
use crate::rig::state::{self, State};
use crate::rig::{Docker, RigError, docker, engine, folder, lock, mounts, network, wait};

const NAME: &str = "kube";

/// The addresses of Services.
pub(crate) const SERVICE_ADDRESSES: &str = "10.96.0.0/20";

/// The bridge that pods are on.
pub(crate) const POD_BRIDGE: &str = "pilotage2";

/// How long the node has for getting ready.
const NODE_TIME: Duration = Duration::from_secs(120);

/// Builds Kubernetes if that was not done yet, and nothing else.
///
/// # Errors
///
/// What is missing, or what failed.
pub fn build() -> Result<(), RigError> {
    source::build_once().map(drop)
}

/// Brings it up, with the Docker rig if that is not up, or finds it as it runs. The first time on a machine it builds
/// Kubernetes, which takes some ten minutes.
///
/// # Errors
///
/// What is missing, or what did not get ready.
pub fn up() -> Result<Kube, RigError> {
    if let Some(kube) = found()? {
        return Ok(kube);
    }
    program::require(&FOR_KUBE)?;
    let programs = source::build_once()?;
    let _alone = lock::for_remake(lock::ENGINE)?;
    let docker = docker::up_unlocked()?;
    // One that cannot be mended is replaced.
    if let Ok(Some(kube)) = heal() {
        return Ok(kube);
    }
    down_unlocked()?;
    let run = folder::run(NAME)?;
    folder::make_private(&run)?;
    let mut state = State::new(&run, Facts::new(programs, Docker::gateway())?);
    state.save()?;
    start(&mut state, &run, &docker)?;
    let kube = Kube::in_folder(&run, &state.facts);
    if let Some(folder) = definitions::folder() {
        kube.install_definitions(&folder)?;
    }
    state.finish()?;
    Ok(kube)
}

fn start(state: &mut State<Facts>, run: &Path, docker: &Docker) -> Result<(), RigError> {
    let facts = state.facts.clone();
    let certificates = Certificates::in_folder(run);
    let parts = Parts { run, facts: &facts, certificates: &certificates };
    parts.write_access()?;
    parts.write_pod_network()?;
    docker.build_pause()?;
    network::accept(POD_BRIDGE)?;
    network::route(SERVICE_ADDRESSES, Docker::bridge())?;
    for part in [
        parts.etcd(),
        parts.api_server(),
        parts.controllers(),
        parts.scheduler(),
        parts.kubelet(docker),
        parts.proxy(),
    ] {
        let name = part.name.clone();
        state.start(part)?;
        parts.ready(state.daemon(&name)?)?;
    }
    let kube = Kube::in_folder(run, &facts);
    let ready = "jsonpath={.status.conditions[?(@.type=='Ready')].status}";
    let kubelet = state.daemon("kubelet")?;
    wait::ready(kubelet, NODE_TIME, || {
        kube.kubectl(&["get", "node", NODE, "--output", ready]).is_ok_and(|status| status == "True")
    })?;
    // A namespace is of use only when its service account is there.
    let controllers = state.daemon("kube-controller-manager")?;
    wait::ready(controllers, NODE_TIME, || kube.kubectl(&["get", "serviceaccount", "default"]).is_ok())
}

/// The running rig.
pub(crate) fn found() -> Result<Option<Kube>, RigError> {
    let run = folder::run(NAME)?;
    let state = State::<Facts>::load(&run)?.filter(State::runs);
    Ok(state.map(|state| Kube::in_folder(&run, &state.facts)))
}

/// The running rig, after having started again whatever a test killed.
pub(crate) fn healed() -> Result<Option<Kube>, RigError> {
    docker::healed()?;
    if let Some(kube) = found()? {
        return Ok(Some(kube));
    }
    let _change = lock::for_change()?;
    heal()
}

fn heal() -> Result<Option<Kube>, RigError> {
    let run = folder::run(NAME)?;
    if let Some(mut state) = State::<Facts>::load(&run)? {
        state.heal(|daemon, facts| ready(daemon, facts, &run))?;
    }
    found()
}

/// Whether all of it runs.
///
/// # Errors
///
/// A record that cannot be read.
pub fn is_up() -> Result<bool, RigError> {
    Ok(found()?.is_some())
}

/// Waits until no test uses it, ends it and its pods, and takes back what it changed on the machine. Nothing to do is
/// fine.
///
/// # Errors
///
/// The first thing that could not be ended or removed.
pub fn down() -> Result<(), RigError> {
    let _alone = lock::for_remake(lock::ENGINE)?;
    down_unlocked()
}

pub(crate) fn down_unlocked() -> Result<(), RigError> {
    let run = folder::run(NAME)?;
    let Some(mut state) = State::<Facts>::load(&run)? else { return mounts::remove_folder(&run) };
    let stopped = state.stop_all();
    state.save()?;
    stopped?;
    // Without the kubelet, nobody starts them again.
    if let Some(docker) = docker::found()? {
        engine::remove_containers(docker.socket(), &["--filter", "name=^/k8s_"])?;
    }
    if !state.facts.chains_before {
        network::remove_chains(CHAINS);
    }
    network::remove_rules_about(POD_BRIDGE);
    network::remove_route(SERVICE_ADDRESSES);
    network::remove_interface(POD_BRIDGE)?;
    mounts::remove_folder(&run)
}

/// What there is of it, a line a part.
///
/// # Errors
///
/// A record that cannot be read.
pub fn status() -> Result<Vec<String>, RigError> {
    let run = folder::run(NAME)?;
    let Some(state) = State::<Facts>::load(&run)? else { return Ok(Vec::new()) };
    let mut lines = state.lines();
    lines.push(state::line("API server", &state.facts.server));
    lines.push(state::line("kubeconfig", &folder::text(&kubeconfig_file(&run, ADMIN))));
    Ok(lines)
}
