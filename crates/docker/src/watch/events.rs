//! Follows what happens on the engine, for as long as anybody wants to know.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bollard::models::{EventMessage, EventMessageTypeEnum};
use bollard::query_parameters::EventsOptionsBuilder;
use futures_util::StreamExt;
use pilotage_targets::TargetError;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::shared::Shared;

/// Pauses before the engine is tried again.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// What happened between the first look and the first event is found by the second look.
const SECOND_LOOK: Duration = Duration::from_millis(300);
/// Events can be lost, and some engines have few: everything is looked at now and then.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Keeps the registry true until it is aborted. An engine that goes away is waited for.
pub(crate) async fn watch(shared: Arc<Shared>) {
    let mut pause = FIRST_PAUSE;
    let mut is_away = false;
    loop {
        let begin = Instant::now();
        let error = match follow(&shared, &mut is_away).await {
            Ok(never) => match never {},
            Err(error) => error,
        };
        if !is_away {
            tracing::warn!(engine = shared.engine.name(), %error, "the engine is not watched; trying again");
            is_away = true;
            shared.registry.announce();
        }
        if begin.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Follows one stream of events to its end, which is always an error.
async fn follow(shared: &Arc<Shared>, is_away: &mut bool) -> Result<std::convert::Infallible, TargetError> {
    shared.look(None).await?;
    shared.registry.completed();
    if std::mem::take(is_away) {
        tracing::info!(engine = shared.engine.name(), "the engine is watched again");
    }
    shared.finish_retirements().await;
    let filters = HashMap::from([("type", vec!["container", "network"])]);
    let options = EventsOptionsBuilder::default().filters(&filters).build();
    let mut events = std::pin::pin!(shared.engine.docker().events(Some(options)));
    let mut looks = interval_at(Instant::now() + SECOND_LOOK, LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(event)) => {
                    if let Some(id) = concerned(shared, &event) {
                        shared.refresh(&id).await?;
                    }
                }
                Some(Err(error)) => return Err(shared.engine.failed("follow its events", &error)),
                None => {
                    let reason = "it has ended its stream of events".to_owned();
                    return Err(TargetError::Unreachable { engine: shared.engine.name(), reason });
                }
            },
            _ = looks.tick() => drop(shared.look(None).await?),
        }
    }
}

/// The container of ours that an event is about.
fn concerned(shared: &Shared, event: &EventMessage) -> Option<String> {
    let actor = event.actor.as_ref()?;
    let attributes = actor.attributes.as_ref()?;
    match event.typ? {
        // The labels are among the attributes.
        EventMessageTypeEnum::CONTAINER => actor.id.clone().filter(|_| shared.scope.owns(attributes)),
        EventMessageTypeEnum::NETWORK => {
            attributes.get("container").filter(|id| shared.registry.get(id).is_some()).cloned()
        }
        _ => None,
    }
}
