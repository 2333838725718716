//! What targets ask of the edge.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pilotage_proxy::{Address, EdgeClient, EdgeClientError, EdgeStats};
use pilotage_spec::{EnvironmentName, Version, Workload};
use tokio::sync::{mpsc, oneshot, watch};

use super::edge_process::EdgeProcess;
use super::publisher::Publisher;
use super::sources::{EndpointSource, Sources};
use super::{check, drain, with_port};
use crate::claims::Claim;
use crate::process::{ProcessConfig, Tasks, create_folders};
use crate::{Routed, TargetError, Traffic};

/// The traffic as the edge has it.
#[derive(Debug, Clone, Default)]
pub(super) struct Applied {
    /// The epoch of the table in use.
    pub epoch: u64,
    /// The traffic of each workload that is served.
    pub routes: BTreeMap<Workload, Traffic>,
}

/// What the publisher is asked for; it answers when every worker of the edge uses the table that came of it.
pub(super) enum Command {
    /// Another traffic for a workload; `None`: it is served no longer.
    Set { workload: Workload, traffic: Option<Box<Traffic>>, reply: Reply },
    /// The endpoints as they are now.
    Refresh { reply: Reply },
}

pub(super) type Reply = oneshot::Sender<Result<u64, TargetError>>;

/// The edge of this machine, which serves every environment whose instances can be reached from here. The one way to its table.
/// Cheap to clone.
#[derive(Clone)]
pub struct HostEdge {
    inner: Arc<Inner>,
}

struct Inner {
    commands: mpsc::Sender<Command>,
    applied: watch::Receiver<Applied>,
    client: EdgeClient,
    process: EdgeProcess,
    sources: Arc<Sources>,
    news: watch::Sender<u64>,
    tasks: Tasks,
}

impl fmt::Debug for HostEdge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostEdge").finish_non_exhaustive()
    }
}

impl HostEdge {
    /// Takes over the edge with its table, or starts one. Endpoints stay as they are until their environment has a source.
    pub async fn start(config: &ProcessConfig) -> Result<Self, TargetError> {
        create_folders(config)?;
        let process = EdgeProcess::new(config.clone());
        let client = process.ensure_running().await?;
        let sources = Arc::new(Sources::default());
        let (news, heard) = watch::channel(0);
        let taken_over = Publisher::take_over(process.clone(), client.clone(), Arc::clone(&sources)).await?;
        let (publisher, applied) = taken_over;
        let (commands, receiver) = mpsc::channel(16);
        let tasks = Tasks::default();
        tasks.spawn(publisher.run(receiver, heard));
        Ok(Self { inner: Arc::new(Inner { commands, applied, client, process, sources, news, tasks }) })
    }

    /// From now on the source tells which instances of the environment take traffic. To say it again is harmless.
    pub fn attach(&self, environment: &EnvironmentName, source: Arc<dyn EndpointSource>) {
        let news = source.subscribe();
        if self.inner.sources.attach(environment, source) {
            self.follow(news);
        }
    }

    /// The source of all environments that have none of their own.
    pub(crate) fn attach_fallback(&self, source: Arc<dyn EndpointSource>) {
        let news = source.subscribe();
        self.inner.sources.attach_fallback(source);
        self.follow(news);
    }

    fn follow(&self, mut source: watch::Receiver<u64>) {
        let news = self.inner.news.clone();
        news.send_modify(|count| *count += 1);
        self.inner.tasks.spawn(async move {
            while source.changed().await.is_ok() {
                news.send_modify(|count| *count += 1);
            }
        });
    }

    /// Says whether the traffic of a workload would be refused as things are. Looks at files and ports, so it may block.
    pub fn check(&self, workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
        let served = self.inner.applied.borrow().routes.clone();
        check::check(workload, traffic, &served)
    }

    /// Sets the traffic of a workload. A port that is left open is chosen once, and remembered by the claim.
    pub async fn route(&self, claim: &mut Claim, traffic: &Traffic) -> Result<Routed, TargetError> {
        let workload = claim.record.workload.clone();
        let served = self.current(&workload).map(|served| served.listen);
        let listen = with_port(traffic.listen, claim.record.listen, served)?;
        let epoch = self.set(&workload, Some(Traffic { listen, ..traffic.clone() })).await?;
        if claim.record.listen != Some(listen) {
            claim.record.listen = Some(listen);
            claim.save()?;
        }
        Ok(Routed { listen, epoch })
    }

    /// Serves a workload no longer.
    pub async fn end(&self, workload: &Workload) -> Result<(), TargetError> {
        self.set(workload, None).await.map(|_| ())
    }

    async fn set(&self, workload: &Workload, traffic: Option<Traffic>) -> Result<u64, TargetError> {
        let (workload, traffic) = (workload.clone(), traffic.map(Box::new));
        self.ask(|reply| Command::Set { workload, traffic, reply }).await
    }

    /// Returns when the edge uses the endpoints as they are now; says the epoch of its table.
    pub async fn refresh(&self) -> Result<u64, TargetError> {
        self.ask(|reply| Command::Refresh { reply }).await
    }

    /// The traffic of a workload, if it is served.
    pub fn current(&self, workload: &Workload) -> Option<Traffic> {
        self.inner.applied.borrow().routes.get(workload).cloned()
    }

    /// The edge's control client.
    pub fn client(&self) -> &EdgeClient {
        &self.inner.client
    }

    /// Everything that the edge has counted.
    pub async fn stats(&self) -> Result<EdgeStats, TargetError> {
        let failed = |error: EdgeClientError| TargetError::Failed {
            doing: "ask the edge what it has counted".into(),
            reason: error.to_string(),
        };
        self.inner.client.stats().await.map_err(failed)
    }

    /// Waits until no request is in flight to instances that get no new ones, or the limit is over. The address is that of one
    /// instance which is to be told from others of its version that go on.
    pub async fn drain(
        &self,
        workload: &Workload,
        version: &Version,
        address: Option<Address>,
        limit: Duration,
    ) -> Result<(), TargetError> {
        self.refresh().await?;
        let has_share = self.current(workload).is_some_and(|traffic| {
            traffic.shares.iter().any(|(shared, share)| shared == version && *share > 0)
        });
        if has_share {
            drain::connections_closed(address, limit).await;
        } else {
            drain::nothing_in_flight(&self.inner.client, workload, version, limit).await;
        }
        Ok(())
    }

    /// Lets go of the edge, which goes on by itself.
    pub fn close(&self) {
        self.inner.tasks.abort();
    }

    /// Ends the edge itself.
    pub async fn stop(&self) -> Result<(), TargetError> {
        self.close();
        self.inner.process.stop().await
    }

    async fn ask(&self, command: impl FnOnce(Reply) -> Command) -> Result<u64, TargetError> {
        let ended = || TargetError::Failed {
            doing: "change the traffic".into(),
            reason: "this target is being shut down".into(),
        };
        let (reply, answer) = oneshot::channel();
        self.inner.commands.send(command(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}
