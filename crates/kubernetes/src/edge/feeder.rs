//! The only writer of the edge's table in a pod.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use pilotage_proxy::{EdgeClient, EdgeClientError, RoutingTable};
use pilotage_targets::build_table;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::desired::Desired;
use super::source::Snapshot;
use super::state::{Applied, State};
use super::watches::Watches;
use crate::names::Owner;

/// News that come together make one table.
const DEBOUNCE: Duration = Duration::from_millis(2);
/// How soon a table that the edge did not take is offered again.
const OFFER_AGAIN: Duration = Duration::from_millis(500);

/// Makes tables of what is to be served and who can serve it.
pub(super) struct Feeder {
    pub(super) edge: EdgeClient,
    pub(super) owner: Owner,
    /// All addresses of the pod.
    pub(super) any: IpAddr,
    pub(super) state: Arc<State>,
    pub(super) desired: Desired,
    /// The table that the edge has.
    pub(super) in_use: RoutingTable,
    /// Whether that is the one that ought to be.
    pub(super) settled: bool,
}

impl Feeder {
    /// Begins with the table that the edge has, which it may have found on its disk.
    pub(super) async fn take_over(
        edge: EdgeClient,
        owner: Owner,
        any: IpAddr,
        state: Arc<State>,
    ) -> Result<Self, EdgeClientError> {
        let in_use = edge.table().await?;
        if in_use.epoch > 0 {
            state.restored(in_use.epoch);
        }
        Ok(Self { edge, owner, any, state, desired: Desired::default(), in_use, settled: false })
    }

    /// Keeps the table in step for as long as the process lives.
    pub(super) async fn run(mut self, mut watches: Watches) {
        let mut again = interval(OFFER_AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = watches.changed() => {
                    sleep(DEBOUNCE).await;
                    self.settled = false;
                }
                _ = again.tick() => {}
            }
            if !self.settled {
                self.settle(&watches).await;
            }
        }
    }

    /// Makes the edge use what is known now. Until both halves are known, it goes on with the table that it has.
    async fn settle(&mut self, watches: &Watches) {
        let (Some(config_map), Some(backends)) = (watches.config_map(), watches.backends()) else { return };
        match config_map {
            Some(config_map) => self.desired = Desired::read(&config_map, &self.desired),
            // Services leave by their key. Whoever deletes all of it at once has made a mistake, and users are not to pay.
            None if self.in_use.epoch > 0 => {
                tracing::warn!("the ConfigMap is gone; what was served is served on");
                self.settled = true;
                return;
            }
            None => self.desired = Desired::default(),
        }
        for (key, reason) in &self.desired.faults {
            tracing::warn!(key, reason, "what is to be served cannot be used; it stays as it was");
        }
        let traffic = self.desired.traffic(&self.owner.environment, self.any);
        let table =
            build_table(&traffic, &Snapshot { owner: &self.owner, backends: &backends }, &self.in_use);
        match self.offer(table).await {
            Ok(()) => self.settled = true,
            Err(error) => tracing::warn!(%error, "the edge has not taken the table; offering it again"),
        }
    }

    async fn offer(&mut self, table: RoutingTable) -> Result<(), EdgeClientError> {
        let epoch = self.in_use.epoch;
        let known = RoutingTable { epoch, ..table.clone() };
        if epoch == 0 || known != self.in_use {
            let next = RoutingTable { epoch: epoch + 1, ..table };
            self.edge.apply(next.clone()).await?;
            self.in_use = next;
        }
        let Desired { resource_version, entries, faults } = &self.desired;
        let usable = entries.iter().filter(|(service, _)| !faults.contains_key(service.as_str()));
        self.state.set(Applied {
            resource_version: resource_version.clone(),
            epoch: self.in_use.epoch,
            services: usable.map(|(service, (_, digest))| (service.to_string(), digest.clone())).collect(),
            faults: faults.clone(),
        });
        Ok(())
    }
}
