//! What all parts of the Docker target work with.

use std::sync::Arc;
use std::time::Duration;

use bollard::models::{ContainerUpdateBody, NetworkConnectRequest, RestartPolicyNameEnum};
use bollard::query_parameters::{
    RemoveContainerOptionsBuilder, RenameContainerOptionsBuilder, RestartContainerOptionsBuilder,
    StopContainerOptionsBuilder,
};
use pilotage_targets::{TargetError, Tasks};

use crate::config::{DockerConfig, Hardening};
use crate::engine::{Engine, Fault};
use crate::image::Images;
use crate::instance::specification::{policy, seconds};
use crate::instance::{Seen, secret_files};
use crate::names::{Scope, retired};
use crate::watch::{Held, Registry};

pub(crate) struct Shared {
    pub config: DockerConfig,
    pub scope: Scope,
    /// The network of the containers, and whether it is ours to make.
    pub network: String,
    pub network_is_ours: bool,
    pub hardening: Hardening,
    pub engine: Engine,
    pub images: Images,
    pub registry: Arc<Registry>,
    pub tasks: Tasks,
}

impl Shared {
    pub fn new(config: DockerConfig) -> Result<Self, TargetError> {
        let engine = config.engine()?;
        let (network, network_is_ours) = config.network();
        Ok(Self {
            scope: config.scope(),
            hardening: config.hardening(),
            images: Images::new(engine.clone(), config.login()),
            registry: Arc::new(Registry::new()),
            tasks: Tasks::default(),
            network,
            network_is_ours,
            engine,
            config,
        })
    }

    /// Changes what is known of an instance beyond what the engine says, and tells everybody if that is news.
    pub fn note(&self, held: &Held, change: impl FnOnce(&mut Seen)) {
        if held.note(change) {
            self.registry.announce();
        }
    }

    /// Gives an instance up: it is stopped, stays to be looked at, and is not started again by anybody.
    pub async fn conclude(self: &Arc<Self>, held: &Arc<Held>, reason: String) {
        self.note(held, |seen| seen.given_up = Some(reason));
        let policy = Some(policy(RestartPolicyNameEnum::NO));
        let update = ContainerUpdateBody { restart_policy: policy, ..ContainerUpdateBody::default() };
        if let Err(error) = self.engine.docker().update_container(&held.id, update).await {
            let error = self.engine.failed("take the restart policy from a container", &error);
            tracing::warn!(instance = held.container().marks.instance, %error, "it may be started again by its engine");
        }
        let grace = held.container().marks.release.instance.stop_grace;
        if let Err(error) = self.stop_container(held, grace).await {
            tracing::warn!(instance = held.container().marks.instance, %error, "a failed instance was not stopped");
        }
        let _ = self.refresh(&held.id).await;
    }

    /// Stops a container; one that has stopped or is gone is as good.
    pub async fn stop_container(&self, held: &Held, grace: Duration) -> Result<(), TargetError> {
        let limit = i32::try_from(seconds(grace)).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().t(limit).build();
        let stopped = self.engine.patient(grace).stop_container(&held.id, Some(options)).await;
        self.unless_gone("stop a container", stopped)
    }

    /// Marks a container as stopped on purpose, before it is.
    pub async fn retire_container(self: &Arc<Self>, held: &Held) -> Result<(), TargetError> {
        let container = held.container();
        if !container.is_retired() {
            let name = retired(&container.marks.instance);
            let options = RenameContainerOptionsBuilder::default().name(&name).build();
            let renamed = self.engine.docker().rename_container(&held.id, options).await;
            self.unless_gone("rename a container", renamed)?;
            self.refresh(&held.id).await?;
        }
        self.stop_container(held, container.marks.release.instance.stop_grace).await?;
        secret_files::remove(&self.secrets_of(&container.marks.instance));
        self.refresh(&held.id).await?;
        Ok(())
    }

    /// Removes a container with what is its own.
    pub async fn remove_container(&self, held: &Held) -> Result<(), TargetError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        let removed = self.engine.docker().remove_container(&held.id, Some(options)).await;
        self.unless_gone("remove a container", removed)?;
        secret_files::remove(&self.secrets_of(&held.container().marks.instance));
        self.registry.forget(&held.id);
        Ok(())
    }

    /// Starts one again that has ended and that its engine does not start. What it was given as files may have gone with a
    /// restart of the machine.
    pub async fn start_again(self: &Arc<Self>, held: &Arc<Held>) {
        let instance = held.container().marks.instance;
        tracing::warn!(instance, "an instance was stopped by somebody else; starting it again");
        self.note(held, |seen| seen.own_restarts += 1);
        if let Err(error) = self.bring_up(held).await {
            tracing::warn!(instance, %error, "an instance could not be started again");
        }
    }

    async fn bring_up(self: &Arc<Self>, held: &Arc<Held>) -> Result<(), TargetError> {
        self.renew_secrets(held).await?;
        let started = self.engine.docker().start_container(&held.id, None).await;
        self.unless_gone("start a container", started)?;
        self.refresh(&held.id).await.map(|_| ())
    }

    /// Has the engine stop it and start it again.
    pub async fn restart_container(self: &Arc<Self>, held: &Arc<Held>) {
        let grace = held.container().marks.release.instance.stop_grace;
        let limit = i32::try_from(seconds(grace)).unwrap_or(i32::MAX);
        let options = RestartContainerOptionsBuilder::default().t(limit).build();
        let restarted = self.engine.patient(grace).restart_container(&held.id, Some(options)).await;
        if let Err(error) = self.unless_gone("restart a container", restarted) {
            tracing::warn!(instance = held.container().marks.instance, %error, "an instance that does not work goes on");
        }
        let _ = self.refresh(&held.id).await;
    }

    /// Puts a container back into the network that somebody has taken it out of.
    pub async fn connect(self: &Arc<Self>, held: &Arc<Held>) {
        let instance = held.container().marks.instance;
        tracing::warn!(
            instance,
            network = self.network,
            "a container is not in its network; putting it back"
        );
        let request =
            NetworkConnectRequest { container: held.id.clone(), ..NetworkConnectRequest::default() };
        let connected = self.engine.docker().connect_network(&self.network, request).await;
        if let Err(error) = connected {
            let error = self.engine.failed("connect a container to its network", &error);
            tracing::warn!(instance, %error, "an instance cannot be reached");
        }
        let _ = self.refresh(&held.id).await;
    }

    /// What was marked as stopped by whoever was here before, and still runs, is stopped now.
    pub async fn finish_retirements(self: &Arc<Self>) {
        for held in self.registry.all() {
            let container = held.container();
            if container.is_retired() && container.may_run() {
                let shared = Arc::clone(self);
                self.tasks.spawn(async move {
                    if let Err(error) = shared.retire_container(&held).await {
                        tracing::warn!(instance = container.marks.instance, %error, "an instance was not stopped");
                    }
                });
            }
        }
    }

    /// For a call after which a thing that is gone is as good as done.
    fn unless_gone(
        &self,
        doing: &str,
        result: Result<(), bollard::errors::Error>,
    ) -> Result<(), TargetError> {
        match result {
            Ok(()) => Ok(()),
            Err(error) => match self.engine.fault(&error) {
                Fault::NotFound { .. } => Ok(()),
                fault => Err(self.engine.refused(doing, fault)),
            },
        }
    }
}
