//! The command target.

use std::sync::Arc;

use async_trait::async_trait;
use pilotage_proxy::EdgeStats;
use pilotage_spec::{Capabilities, Release, Version, Workload};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::config::CommandConfig;
use super::contract::Verb;
use super::poll::poll;
use super::shared::Shared;
use super::{convert, environment};
use crate::{
    Fence, LogLine, LogQuery, Observation, RefreshedSecrets, Routed, Source, Staged, Target, TargetError,
    Traffic,
};

/// An engine that is driven by a program of the team's own.
#[derive(Debug)]
pub struct CommandTarget {
    shared: Arc<Shared>,
    poll: AbortHandle,
}

impl CommandTarget {
    /// Opens the target. The program is not run yet: one that is broken must not keep others from working.
    ///
    /// # Errors
    /// Fails if its folders cannot be created.
    pub fn open(config: CommandConfig) -> Result<Self, TargetError> {
        let shared = Arc::new(Shared::open(config)?);
        let poll = tokio::spawn(poll(Arc::downgrade(&shared))).abort_handle();
        Ok(Self { shared, poll })
    }
}

impl Drop for CommandTarget {
    fn drop(&mut self) {
        self.poll.abort();
    }
}

#[async_trait]
impl Target for CommandTarget {
    async fn capabilities(&self, _workload: &Workload) -> Result<Capabilities, TargetError> {
        Ok(convert::capabilities(&self.shared.description().await?))
    }

    /// A plan begins here, so that what the program can do is found out anew.
    async fn stage(&self, workload: &Workload, source: &Source) -> Result<Staged, TargetError> {
        self.shared.describe().await?;
        let answer = self.shared.ask(Some(workload), convert::staging(source)).await?;
        let staged = self.shared.field(answer.staged, "stage", "staged")?;
        Ok(Staged { digest: staged.digest, objects: None })
    }

    /// What was seen a moment ago is repeated, as [`super::pace`] has it; `at` tells when that was.
    async fn observe(&self, workload: &Workload) -> Result<Observation, TargetError> {
        self.shared.observations.get(workload, || self.shared.look(workload)).await
    }

    async fn ensure(
        &self,
        workload: &Workload,
        release: &Release,
        replicas: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let secrets_as = self.shared.description().await?.secrets;
        let reader = &self.shared.config.secrets;
        let env = environment::of_instance(&release.instance, secrets_as, reader).await?;
        let verb = Verb::Ensure { release: convert::release(release, env), replicas };
        self.shared.act(workload, fence, verb).await.map(drop)
    }

    async fn check_route(&self, workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
        let verb = Verb::CheckRoute { traffic: convert::traffic(traffic) };
        self.shared.ask(Some(workload), verb).await.map(drop)
    }

    async fn route(
        &self,
        workload: &Workload,
        traffic: &Traffic,
        fence: Fence,
    ) -> Result<Routed, TargetError> {
        let verb = Verb::Route { traffic: convert::traffic(traffic) };
        let answer = self.shared.act(workload, fence, verb).await?;
        let listen = convert::listen(traffic.listen, answer.routed);
        let listen = self.shared.field(listen, "route", "routed.listen with the port that was chosen")?;
        // Written under a claim: whoever has taken over meanwhile has written what counts.
        let _claim = self.shared.config.claims.claim(workload, fence).await?;
        let epoch = self.shared.routes.write(workload, Traffic { listen, ..traffic.clone() })?;
        self.shared.observations.disturbed(workload);
        Ok(Routed { listen, epoch })
    }

    async fn retire(
        &self,
        workload: &Workload,
        version: &Version,
        keep: u32,
        fence: Fence,
    ) -> Result<(), TargetError> {
        let verb = Verb::Retire { version: version.to_string(), keep };
        self.shared.act(workload, fence, verb).await.map(drop)
    }

    async fn remove(&self, workload: &Workload, fence: Fence) -> Result<(), TargetError> {
        self.shared.act(workload, fence, Verb::Remove).await.map(drop)
    }

    /// Instances have what they were started with: files of theirs are out of reach here.
    async fn refresh_secrets(&self, _workload: &Workload) -> Result<Vec<RefreshedSecrets>, TargetError> {
        Ok(Vec::new())
    }

    async fn stats(&self, _workload: &Workload) -> Result<Option<EdgeStats>, TargetError> {
        Ok(None)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.shared.observations.subscribe()
    }

    async fn logs(&self, workload: &Workload, query: &LogQuery) -> Result<Vec<LogLine>, TargetError> {
        let verb = Verb::Logs { query: convert::log_query(query) };
        let answer = self.shared.ask(Some(workload), verb).await?;
        let told = self.shared.field(answer.lines, "logs", "lines")?;
        let known = self.shared.config.secrets.known();
        Ok(convert::lines(told, query, |text| known.text(text).into_owned()))
    }
}
