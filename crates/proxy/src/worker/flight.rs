//! A request on its way to one version: counted as in flight for as long as this value lives.

use std::rc::Rc;
use std::sync::Arc;

use super::thread::Worker;
use super::upstream::Upstream;
use crate::routing::{Shard, VersionCounters};

/// A request on its way to one endpoint of one version.
pub(super) struct Flight {
    worker: usize,
    pub(super) counters: Arc<VersionCounters>,
    pub(super) upstream: Rc<Upstream>,
}

impl Flight {
    /// Must follow the choice of the endpoint without waiting in between: when a worker has taken up a table, every
    /// request that chose by the table before is in flight and can be waited for.
    pub(super) fn begin(worker: &Worker, counters: &Arc<VersionCounters>, upstream: &Rc<Upstream>) -> Self {
        let flight =
            Self { worker: worker.index, counters: Arc::clone(counters), upstream: Rc::clone(upstream) };
        flight.shard().in_flight.add(1);
        upstream.in_flight.set(upstream.in_flight.get() + 1);
        flight
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
