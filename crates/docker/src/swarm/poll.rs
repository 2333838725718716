//! Asks the swarm. It has no events for tasks, so it is asked often; containers of its own node end with an event.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use bollard::query_parameters::{
    EventsOptionsBuilder, ListNodesOptions, ListServicesOptionsBuilder, ListTasksOptionsBuilder,
};
use futures_util::StreamExt;
use pilotage_targets::TargetError;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::board::Deployed;
use super::shared::Shared;
use super::slot::{Run, Slot, slots};
use crate::engine::Reach;

/// How often the swarm is asked.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// Events that come together are one.
const DEBOUNCE: Duration = Duration::from_millis(5);
/// The longest pause before a swarm that is away is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl Shared {
    /// Everything of the environment as it is now.
    pub async fn look(self: &Arc<Self>) -> Result<(), TargetError> {
        self.manager().await?;
        let _turn = self.asking.lock().await;
        let filter = self.scope.filter(None);
        let failed = |doing: &'static str| move |error| self.engine.failed(doing, &error);
        let wanted = ListServicesOptionsBuilder::default().filters(&filter).build();
        let services =
            self.engine.docker().list_services(Some(wanted)).await.map_err(failed("list services"))?;
        let wanted = ListTasksOptionsBuilder::default().filters(&filter).build();
        let tasks = self.engine.docker().list_tasks(Some(wanted)).await.map_err(failed("list tasks"))?;
        let slots = slots(tasks.into_iter().filter_map(|task| Run::read(&self.scope, task)).collect());
        if self.board.unknown_nodes(&slots) {
            self.find_nodes(&slots).await?;
        }
        let services: Vec<Deployed> =
            services.into_iter().filter_map(|service| Deployed::read(&self.scope, service)).collect();
        self.notice_hands(&services);
        let running = self.board.update(services, slots);
        self.probe(running);
        Ok(())
    }

    /// Says of a service that somebody has taken back or changed by hand. Its tasks are compared with its release in any case.
    fn notice_hands(&self, services: &[Deployed]) {
        for service in services {
            let before = self.board.services(&service.marks.workload);
            let before = before.into_iter().find(|other| other.id == service.id);
            let is_news = before.is_some_and(|before| before.update != service.update);
            if let Some(state) = service.update.as_ref().filter(|state| is_news && state.contains("rollback"))
            {
                let (service, replicas) = (&service.marks.instance, service.replicas());
                tracing::warn!(service, state, replicas, "somebody has rolled a service back by hand");
            }
        }
    }

    async fn find_nodes(&self, slots: &[Slot]) -> Result<(), TargetError> {
        let facts = self.engine.facts().await?;
        let own = match facts.reach {
            Reach::Bridge => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Reach::Published { host, .. } => host,
        };
        let listed = self.engine.docker().list_nodes(None::<ListNodesOptions>).await;
        let listed = listed.map_err(|error| self.engine.failed("list nodes", &error))?;
        let mut nodes: BTreeMap<String, IpAddr> = BTreeMap::new();
        for node in listed {
            let address = node.status.and_then(|status| status.addr).and_then(|text| text.parse().ok());
            if let (Some(id), Some(address)) = (node.id, address) {
                let is_own = facts.node.as_ref() == Some(&id);
                nodes.insert(id, if is_own { own } else { address });
            }
        }
        let missing = slots.iter().flat_map(|slot| &slot.runs).find(|run| !nodes.contains_key(&run.node));
        if let Some(run) = missing.filter(|run| !run.node.is_empty()) {
            tracing::debug!(node = run.node, "a task runs on a node that is not listed");
        }
        self.board.set_nodes(nodes);
        Ok(())
    }
}

/// Keeps the board true until it is aborted.
pub(super) async fn watch(shared: Arc<Shared>) {
    let mut is_away = false;
    let mut pause = ASK_EVERY;
    loop {
        let error = match follow(&shared, &mut is_away).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        if !std::mem::replace(&mut is_away, true) {
            tracing::warn!(engine = shared.engine.name(), %error, "the swarm is not watched; trying again");
            pause = ASK_EVERY;
            shared.board.announce();
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn follow(shared: &Arc<Shared>, is_away: &mut bool) -> Result<std::convert::Infallible, TargetError> {
    shared.look().await?;
    if std::mem::take(is_away) {
        tracing::info!(engine = shared.engine.name(), "the swarm is watched again");
    }
    let filters = HashMap::from([("type", vec!["container", "service"])]);
    let options = EventsOptionsBuilder::default().filters(&filters).build();
    let mut events = std::pin::pin!(shared.engine.docker().events(Some(options)));
    let mut asks = interval(ASK_EVERY);
    asks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut asked_at = Instant::now();
    loop {
        tokio::select! {
            event = events.next() => match event {
                // One look tells of all that happened before it.
                Some(Ok(_)) if asked_at.elapsed() < DEBOUNCE => continue,
                Some(Ok(_)) => sleep(DEBOUNCE).await,
                Some(Err(error)) => return Err(shared.engine.failed("follow its events", &error)),
                None => {
                    let reason = "it has ended its stream of events".to_owned();
                    return Err(TargetError::Unreachable { engine: shared.engine.name(), reason });
                }
            },
            _ = asks.tick() => {}
        }
        shared.look().await?;
        asked_at = Instant::now();
    }
}
