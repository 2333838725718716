//! Waiting for an instance: for one to come, or for one to have room.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::Exchange;
use crate::routing::RouteCounters;
use crate::worker::client::ClientEnd;
use crate::worker::thread::Worker;
use crate::worker::view::RouteView;

/// While a request waits, the known instances are looked at again after so long.
const PAUSE: Duration = Duration::from_millis(50);

/// Requests of one worker that may wait for an instance to come at a time.
const MOST_HELD: usize = 10_000;

/// What came of waiting.
pub(super) enum Waited {
    /// The instances are worth another look.
    GoOn,
    /// The client has gone.
    Gone,
    /// It has waited as long as it may, or too many wait already.
    Enough,
}

impl<C: ClientEnd> Exchange<'_, C> {
    /// Waits for another table, or for an instance to come back.
    pub(super) async fn hold(&mut self, route: &RouteView) -> Waited {
        let now = Instant::now();
        let until = *self.held_until.get_or_insert(now + route.route.hold);
        let until = self.no_later(until);
        if now >= until || self.worker.held.get() >= MOST_HELD {
            return Waited::Enough;
        }
        let _place = HeldPlace::take(self.worker, &route.route.counters);
        let changed = tokio::time::timeout(PAUSE.min(until - now), self.worker.changed.notified());
        let waited = while_connected(self.client, changed).await;
        self.tried.clear();
        waited
    }

    /// Waits until one of the instances may have room.
    pub(super) async fn queue(&mut self, route: &RouteView) -> Waited {
        let (now, limits) = (Instant::now(), &route.route.limits);
        if self.queued.is_none() {
            let place = route.room.as_ref().and_then(|room| room.queue(limits.queue));
            self.queued = place.map(|place| (place, now + limits.queue_wait));
        }
        let Some((waiting, until)) = &self.queued else { return Waited::Enough };
        let until = self.no_later(*until);
        if now >= until {
            return Waited::Enough;
        }
        let _place = HeldPlace::take(self.worker, &route.route.counters);
        let freed = tokio::time::timeout(PAUSE.min(until - now), waiting.freed());
        while_connected(self.client, freed).await
    }
}

/// Waits for something, unless the client goes away meanwhile.
async fn while_connected<C: ClientEnd>(client: &mut C, something: impl Future) -> Waited {
    let mut something = pin!(something);
    poll_fn(|cx| {
        if something.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Waited::GoOn);
        }
        client.poll_gone(cx).map(|()| Waited::Gone)
    })
    .await
}

/// A request that waits, counted for as long as this value lives.
struct HeldPlace<'w> {
    worker: &'w Worker,
    route: &'w RouteCounters,
}

impl<'w> HeldPlace<'w> {
    fn take(worker: &'w Worker, route: &'w RouteCounters) -> Self {
        worker.held.set(worker.held.get() + 1);
        route.waiting(worker.index).add(1);
        Self { worker, route }
    }
}

impl Drop for HeldPlace<'_> {
    fn drop(&mut self) {
        self.worker.held.set(self.worker.held.get().saturating_sub(1));
        self.route.waiting(self.worker.index).subtract(1);
    }
}
