//! A request on its way to one version: counted as in flight for as long as this value lives.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::balance::Choice;
use super::room::Seat;
use super::thread::Worker;
use super::upstream::Upstream;
use crate::routing::{EjectionRules, Health, Shard, Siblings, VersionCounters};

/// A request on its way to one endpoint of one version.
pub(super) struct Flight {
    worker: usize,
    pub(super) counters: Arc<VersionCounters>,
    pub(super) upstream: Rc<Upstream>,
    siblings: Siblings,
    _seat: Option<Seat>,
}

impl Flight {
    /// Must follow the choice of the endpoint without waiting in between: when a worker has taken up a table, every
    /// request that chose by the table before is in flight and can be waited for.
    pub(super) fn begin(worker: &Worker, choice: Choice<'_>) -> Self {
        let Choice { pool, upstream, siblings, seat } = choice;
        let flight = Self {
            worker: worker.index,
            counters: Arc::clone(&pool.counters),
            upstream: Rc::clone(upstream),
            siblings,
            _seat: seat,
        };
        flight.shard().in_flight.add(1);
        flight.upstream.in_flight.set(flight.upstream.in_flight.get() + 1);
        flight
    }

    /// The instance could not be connected to.
    pub(super) fn unreachable(&self) {
        self.note(|health| health.unreachable(Instant::now()));
    }

    /// The instance has answered, or failed to.
    pub(super) fn judge(&self, good: bool, rules: &EjectionRules) {
        if good {
            self.upstream.note(|health| {
                health.succeeded();
                false
            });
        } else {
            self.note(|health| health.failed(rules, self.siblings, Instant::now()));
        }
    }

    fn note(&self, change: impl FnOnce(&mut Health) -> bool) {
        if self.upstream.note(change) {
            self.shard().ejections.add(1);
        }
    }

    /// Where this thread counts for the version.
    pub(super) fn shard(&self) -> &Shard {
        self.counters.shard(self.worker)
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.shard().in_flight.subtract(1);
        self.upstream.in_flight.set(self.upstream.in_flight.get().saturating_sub(1));
    }
}
