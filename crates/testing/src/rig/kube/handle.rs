//! A running cluster as tests use it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::certificates::Certificates;
use super::parts::{kubeconfig_file, ready};
use super::user::ADMIN;
use super::{Facts, kubeconfig, source};
use crate::rig::state::State;
use crate::rig::{Docker, RigError, command, docker, folder};

/// A cluster that runs, and how to reach it.
#[derive(Debug)]
pub struct Kube {
    kubeconfig: PathBuf,
    client: PathBuf,
    /// The folder of our own; none of a cluster that somebody else looks after.
    run: Option<PathBuf>,
}

impl Kube {
    /// One of our own, whose folder this is.
    pub(crate) fn in_folder(run: &Path, facts: &Facts) -> Self {
        let (kubeconfig, client) = (kubeconfig_file(run, ADMIN), facts.programs.join("kubectl"));
        Self { kubeconfig, client, run: Some(run.to_owned()) }
    }

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
        let state = State::load(run)?.ok_or(RigError::Down { rig: "kube" })?;
        Ok((state, run.to_owned()))
    }
}
