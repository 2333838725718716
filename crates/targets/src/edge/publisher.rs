//! The only writer of the edge's table.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pilotage_proxy::{EdgeClient, EdgeClientError, RoutingTable};
use pilotage_spec::Workload;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::edge_process::EdgeProcess;
use super::host_edge::{Applied, Command};
use super::sources::Sources;
use super::{check, listeners, routes};
use crate::{TargetError, Traffic};

/// News that come together make one table.
const DEBOUNCE: Duration = Duration::from_millis(2);
/// How often it is looked whether the edge is there, and the same that was given the last table.
const LOOK_AFTER_EDGE: Duration = Duration::from_millis(250);
/// An edge that is away is waited for so long before a change of the traffic fails.
const EDGE_BACK_WITHIN: Duration = Duration::from_secs(20);

/// Writes tables, one after the other.
pub(super) struct Publisher {
    edge: EdgeProcess,
    client: EdgeClient,
    sources: Arc<Sources>,
    /// The table that the edge has or had last: what is not known is taken from it.
    before: RoutingTable,
    applied: watch::Sender<Applied>,
    /// What the edge was given last, without its epoch; `None` if it may have something else.
    published: Option<RoutingTable>,
    /// Tells one edge from the next.
    edge_started: i64,
}

impl Publisher {
    /// Begins with the table that the edge has.
    pub(super) async fn take_over(
        edge: EdgeProcess,
        client: EdgeClient,
        sources: Arc<Sources>,
    ) -> Result<(Self, watch::Receiver<Applied>), TargetError> {
        let failed = |error: EdgeClientError| TargetError::Failed {
            doing: "ask the edge".into(),
            reason: error.to_string(),
        };
        let table = client.table().await.map_err(failed)?;
        let edge_started = client.identify().await.map_err(failed)?.started_micros;
        let applied = Applied { epoch: table.epoch, routes: routes::read(&table) };
        let (applied, receiver) = watch::channel(applied);
        Ok((Self { edge, client, sources, before: table, applied, published: None, edge_started }, receiver))
    }

    /// Works until nobody can ask for anything any more.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut changes: watch::Receiver<u64>,
    ) {
        changes.mark_changed();
        let mut look = interval(LOOK_AFTER_EDGE);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => return,
                },
                Ok(()) = changes.changed() => {
                    sleep(DEBOUNCE).await;
                    changes.mark_unchanged();
                    self.follow_instances().await;
                }
                _ = look.tick() => self.look_after_edge().await,
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        // Whoever asked may have given up meanwhile; what was asked for holds all the same.
        match command {
            Command::Set { workload, traffic, reply } => {
                let _ = reply.send(self.set(workload, traffic.map(|traffic| *traffic)).await);
            }
            Command::Refresh { reply } => {
                let routes = self.routes();
                let _ = reply.send(self.publish(routes).await);
            }
        }
    }

    async fn set(&mut self, workload: Workload, traffic: Option<Traffic>) -> Result<u64, TargetError> {
        let mut routes = self.routes();
        if let Some(traffic) = &traffic {
            check::check(&workload, traffic, &routes)?;
        }
        match traffic {
            Some(traffic) => {
                listeners::adopt(&workload, &traffic, &mut routes);
                routes.insert(workload, traffic)
            }
            None => routes.remove(&workload),
        };
        self.publish(routes).await
    }

    fn routes(&self) -> BTreeMap<Workload, Traffic> {
        self.applied.borrow().routes.clone()
    }

    /// Makes the edge use these shares with the instances of this moment; says the epoch.
    async fn publish(&mut self, traffic: BTreeMap<Workload, Traffic>) -> Result<u64, TargetError> {
        let deadline = Instant::now() + EDGE_BACK_WITHIN;
        loop {
            let table = routes::build(&traffic, &self.sources, &self.before);
            let epoch = self.applied.borrow().epoch;
            if self.published.as_ref() == Some(&table) {
                self.applied.send_modify(|applied| applied.routes = traffic);
                return Ok(epoch);
            }
            match self.client.apply(RoutingTable { epoch: epoch + 1, ..table.clone() }).await {
                Ok(epoch) => {
                    self.before = table.clone();
                    self.published = Some(table);
                    self.applied.send_modify(|applied| *applied = Applied { epoch, routes: traffic });
                    return Ok(epoch);
                }
                Err(EdgeClientError::Refused { reason }) => {
                    if !self.catch_up().await {
                        return Err(failed(reason));
                    }
                }
                Err(error) if Instant::now() > deadline => return Err(failed(error.to_string())),
                Err(error) => {
                    tracing::debug!(%error, "the edge has not taken the table; trying again");
                    self.published = None;
                    self.look_for_edge().await;
                }
            }
        }
    }

    /// Whether the edge's epoch was ahead of ours, so that trying again with a higher one makes sense.
    async fn catch_up(&mut self) -> bool {
        let Ok(table) = self.client.table().await else { return false };
        let ahead = table.epoch > self.applied.borrow().epoch;
        if ahead {
            self.applied.send_modify(|applied| applied.epoch = table.epoch);
        }
        ahead
    }

    async fn follow_instances(&mut self) {
        let routes = self.routes();
        if let Err(error) = self.publish(routes).await {
            // Tried again with the next look after the edge.
            self.published = None;
            tracing::warn!(%error, "the edge does not know which instances are ready");
        }
    }

    async fn look_after_edge(&mut self) {
        match self.client.identify().await {
            Ok(identity) if identity.started_micros != self.edge_started => {
                tracing::info!(pid = identity.pid, "the edge was started again");
                self.edge_started = identity.started_micros;
                self.published = None;
            }
            Ok(_) => {}
            Err(_) => self.look_for_edge().await,
        }
        if self.published.is_none() {
            self.follow_instances().await;
        }
    }

    /// Waits for an edge, and starts one if nobody else does.
    async fn look_for_edge(&mut self) {
        self.published = None;
        if let Err(error) = self.edge.ensure_running().await {
            tracing::warn!(%error, "there is no edge");
        }
    }
}

fn failed(reason: String) -> TargetError {
    TargetError::Failed { doing: "change the traffic".into(), reason }
}
