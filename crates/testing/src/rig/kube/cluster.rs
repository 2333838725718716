//! The running cluster: brought up, found, changed, ended.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::certificates::Certificates;
use super::parts::{NODE, Parts, kubeconfig_file};
use super::user::{self, ADMIN, User};
use super::{definitions, kubeconfig, source};
use crate::rig::daemon::Daemon;
use crate::rig::lock;
use crate::rig::program::{self, FOR_KUBE};
use crate::rig::state::State;
use crate::rig::{Docker, RigError, command, docker, engine, folder, mounts, network, port, wait};

const NAME: &str = "kube";

/// The addresses of Services; the first is the API server's.
pub(crate) const SERVICE_ADDRESSES: &str = "10.96.0.0/20";
const API_SERVICE: &str = "10.96.0.1";

/// The bridge that pods are on.
pub(crate) const POD_BRIDGE: &str = "pilotage2";

/// The chains that kubelet and kube-proxy make.
const CHAINS: &str = "KUBE-";

/// How long the node has for getting ready.
const NODE_TIME: Duration = Duration::from_secs(120);

/// A cluster that runs, and how to reach it.
#[derive(Debug)]
pub struct Kube {
    kubeconfig: PathBuf,
    client: PathBuf,
    /// The folder of our own; none of a cluster that somebody else looks after.
    run: Option<PathBuf>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Facts {
    pub server: String,
    /// Where the built programs are.
    pub programs: PathBuf,
    pub users: Vec<User>,
    pub etcd_port: u16,
    pub etcd_peer_port: u16,
    pub api_port: u16,
    pub controllers_port: u16,
    pub scheduler_port: u16,
    pub kubelet_port: u16,
    pub kubelet_health_port: u16,
    pub proxy_health_port: u16,
    pub proxy_metrics_port: u16,
    chains_before: bool,
}

impl Facts {
    fn new(programs: PathBuf) -> Result<Self, RigError> {
        let [
            etcd,
            etcd_peer,
            api,
            controllers,
            scheduler,
            kubelet,
            kubelet_health,
            proxy_health,
            proxy_metrics,
        ] = port::free()?;
        Ok(Self {
            server: format!("https://{}:{api}", Docker::gateway()),
            programs,
            users: user::all()?,
            etcd_port: etcd,
            etcd_peer_port: etcd_peer,
            api_port: api,
            controllers_port: controllers,
            scheduler_port: scheduler,
            kubelet_port: kubelet,
            kubelet_health_port: kubelet_health,
            proxy_health_port: proxy_health,
            proxy_metrics_port: proxy_metrics,
            chains_before: network::has_chains(CHAINS),
        })
    }

    pub(crate) fn kube(&self, run: &Path) -> Kube {
        Kube {
            kubeconfig: kubeconfig_file(run, ADMIN),
            client: self.programs.join("kubectl"),
            run: Some(run.to_owned()),
        }
    }
}

impl Kube {
    /// One that somebody else looks after.
    pub(crate) fn at(kubeconfig: PathBuf) -> Self {
        let client =
            source::programs().ok().map_or_else(|| "kubectl".into(), |folder| folder.join("kubectl"));
        Self { kubeconfig, client, run: None }
    }

    /// The kubeconfig of somebody who may do everything.
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// The kubeconfig of one of the rig's users: [`super::ADMIN`], [`super::LIMITED`], [`super::PILOTAGE`].
    ///
    /// # Errors
    ///
    /// A cluster that is not the rig's.
    pub fn kubeconfig_of(&self, user: &str) -> Result<PathBuf, RigError> {
        Ok(kubeconfig_file(self.run()?, user))
    }

    /// Writes a kubeconfig with a token, such as one of a service account, or one that is wrong.
    ///
    /// # Errors
    ///
    /// A cluster that is not the rig's, or a file that cannot be written.
    pub fn write_kubeconfig(&self, file: &Path, token: &str) -> Result<(), RigError> {
        let (state, run) = self.recorded()?;
        let authority = Certificates::in_folder(&run).file("ca.crt");
        let content = kubeconfig::with_token(&state.facts.server, &authority, "bearer", token);
        folder::write(file, content.to_string())
    }

    /// The folder of the rig's authority: `ca.crt` and `ca.key`, with which a test can make certificates of its own.
    ///
    /// # Errors
    ///
    /// A cluster that is not the rig's.
    pub fn authority(&self) -> Result<PathBuf, RigError> {
        Ok(self.run()?.join("pki"))
    }

    /// The address of the API server: `https://172.29.0.1:PORT`.
    ///
    /// # Errors
    ///
    /// A cluster that is not the rig's.
    pub fn server(&self) -> Result<String, RigError> {
        Ok(self.recorded()?.0.facts.server)
    }

    /// The Docker rig, on whose engine its pods run.
    ///
    /// # Errors
    ///
    /// A cluster that is not the rig's.
    pub fn docker(&self) -> Result<Docker, RigError> {
        self.run()?;
        docker::found()?.ok_or(RigError::Down { rig: "docker" })
    }

    /// The command line client `kubectl`, as somebody who may do everything.
    pub fn client(&self) -> Command {
        let mut command = Command::new(&self.client);
        command.arg("--kubeconfig").arg(&self.kubeconfig);
        command
    }

    /// What `kubectl` answers.
    ///
    /// # Errors
    ///
    /// What it says when it fails.
    pub fn kubectl(&self, arguments: &[&str]) -> Result<String, RigError> {
        command::output(self.client().args(arguments))
    }

    /// Kills one program: `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kubelet` or `kube-proxy`.
    /// Pods go on. Only for who uses the rig alone.
    ///
    /// # Errors
    ///
    /// No such part, or a cluster that is not the rig's.
    pub fn kill(&self, part: &str) -> Result<(), RigError> {
        self.recorded()?.0.kill(part)
    }

    /// Starts a killed program again, exactly as it was, and waits until it does its work.
    ///
    /// # Errors
    ///
    /// No such part, or one that does not get ready.
    pub fn start(&self, part: &str) -> Result<(), RigError> {
        let (mut state, run) = self.recorded()?;
        state.start_again(part, |daemon, facts| ready(daemon, facts, &run))
    }

    fn run(&self) -> Result<&Path, RigError> {
        self.run
            .as_deref()
            .ok_or(RigError::Unfit("this cluster is not the rig's, so its parts cannot be changed"))
    }

    fn recorded(&self) -> Result<(State<Facts>, PathBuf), RigError> {
        let run = self.run()?;
        let state = State::load(run)?.ok_or(RigError::Down { rig: NAME })?;
        Ok((state, run.to_owned()))
    }
}

/// Brings it up, with the Docker rig if that is not up, or finds it as it runs. The first time on a machine it builds
/// Kubernetes, which takes some ten minutes.
///
/// # Errors
///
/// What is missing, or what did not get ready.
pub fn up() -> Result<Kube, RigError> {
    let _change = lock::for_change()?;
    let docker = docker::up_unlocked()?;
    if let Some(kube) = found()? {
        return Ok(kube);
    }
    program::require(&FOR_KUBE)?;
    let programs = source::build_once()?;
    down_unlocked()?;
    let run = folder::run(NAME)?;
    folder::make_private(&run)?;
    let mut state = State::new(&run, Facts::new(programs)?);
    state.save()?;
    start(&mut state, &run, &docker)?;
    let kube = state.facts.kube(&run);
    if let Some(folder) = definitions::folder() {
        kube.install_definitions(&folder)?;
    }
    Ok(kube)
}

fn start(state: &mut State<Facts>, run: &Path, docker: &Docker) -> Result<(), RigError> {
    let facts = state.facts.clone();
    let certificates = Certificates::in_folder(run);
    let gateway = Docker::gateway();
    let names = [gateway.as_str(), "127.0.0.1", API_SERVICE, "localhost", "kubernetes.default.svc"];
    certificates.make(names.map(str::to_owned).to_vec())?;
    let parts = Parts { run, facts: &facts, certificates: &certificates };
    folder::write(&run.join("tokens.csv"), user::file(&facts.users))?;
    parts.write_kubeconfigs()?;
    parts.write_pod_network()?;
    docker.build_pause()?;
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
    let kube = facts.kube(run);
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
    Ok(state.map(|state| state.facts.kube(&run)))
}

/// The running rig, after having started again whatever a test killed.
pub(crate) fn healed() -> Result<Option<Kube>, RigError> {
    docker::healed()?;
    if let Some(kube) = found()? {
        return Ok(Some(kube));
    }
    let _change = lock::for_change()?;
    let run = folder::run(NAME)?;
    if let Some(mut state) = State::<Facts>::load(&run)? {
        state.heal(|daemon, facts| ready(daemon, facts, &run))?;
    }
    found()
}

fn ready(daemon: &Daemon, facts: &Facts, run: &Path) -> Result<(), RigError> {
    Parts { run, facts, certificates: &Certificates::in_folder(run) }.ready(daemon)
}

/// Whether all of it runs.
///
/// # Errors
///
/// A record that cannot be read.
pub fn is_up() -> Result<bool, RigError> {
    Ok(found()?.is_some())
}

/// Ends it and its pods, and takes back what it changed on the machine. Nothing to do is fine.
///
/// # Errors
///
/// The first thing that could not be ended or removed.
pub fn down() -> Result<(), RigError> {
    let _change = lock::for_change()?;
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
    lines.push(format!("API server  {}", state.facts.server));
    lines.push(format!("kubeconfig  {}", kubeconfig_file(&run, ADMIN).display()));
    Ok(lines)
}
