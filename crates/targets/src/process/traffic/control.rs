//! What the rest of the target asks of the traffic.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pilotage_proxy::EdgeClient;
use pilotage_spec::Workload;
use tokio::sync::{mpsc, oneshot, watch};

use super::edge_process::EdgeProcess;
use super::publisher::Publisher;
use super::{check, drain};
use crate::process::held::Held;
use crate::process::registry::Registry;
use crate::process::tasks::Tasks;
use crate::{TargetError, Traffic};

/// The traffic as the edge has it.
#[derive(Debug, Clone, Default)]
pub struct Applied {
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

/// The one way to the edge's table.
#[derive(Debug)]
pub struct TrafficControl {
    commands: mpsc::Sender<Command>,
    applied: watch::Receiver<Applied>,
    edge: EdgeClient,
}

impl TrafficControl {
    /// Takes over the edge's table, and keeps it in step with the registry from now on.
    pub async fn start(
        edge: EdgeProcess,
        registry: Arc<Registry>,
        tasks: &Tasks,
    ) -> Result<Self, TargetError> {
        let client = edge.ensure_running().await?;
        let (publisher, applied) = Publisher::take_over(edge, client.clone(), registry).await?;
        let (commands, receiver) = mpsc::channel(16);
        tasks.spawn(publisher.run(receiver));
        Ok(Self { commands, applied, edge: client })
    }

    /// Says whether the traffic of a workload would be refused as things are. Looks at files and ports.
    pub fn check(&self, workload: &Workload, traffic: &Traffic) -> Result<(), TargetError> {
        let served = self.applied.borrow().routes.clone();
        check::check(workload, traffic, &served)
    }

    /// Sets or (`None`) ends the traffic of a workload; says the table's epoch.
    pub async fn set(&self, workload: &Workload, traffic: Option<Traffic>) -> Result<u64, TargetError> {
        let (workload, traffic) = (workload.clone(), traffic.map(Box::new));
        self.ask(|reply| Command::Set { workload, traffic, reply }).await
    }

    /// Returns when the edge uses the endpoints as they are now.
    pub async fn refresh(&self) -> Result<u64, TargetError> {
        self.ask(|reply| Command::Refresh { reply }).await
    }

    /// The traffic of a workload, if it is served.
    pub fn current(&self, workload: &Workload) -> Option<Traffic> {
        self.applied.borrow().routes.get(workload).cloned()
    }

    /// The edge's control client.
    pub fn edge(&self) -> &EdgeClient {
        &self.edge
    }

    /// Waits until no request is in flight to an instance that gets no new ones, or the limit is over.
    pub async fn drain(&self, held: &Held, limit: Duration) -> Result<(), TargetError> {
        self.refresh().await?;
        let version = &held.record.release.id.version;
        let traffic = self.current(&held.record.workload);
        let has_share = traffic.is_some_and(|traffic| {
            traffic.shares.iter().any(|(shared, share)| shared == version && *share > 0)
        });
        if has_share {
            drain::connections_closed(held.status().address(), limit).await;
        } else {
            drain::nothing_in_flight(&self.edge, &held.record.workload, version, limit).await;
        }
        Ok(())
    }

    async fn ask(&self, command: impl FnOnce(Reply) -> Command) -> Result<u64, TargetError> {
        let ended = || TargetError::Failed {
            doing: "change the traffic".into(),
            reason: "this target is being shut down".into(),
        };
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}
