//! What is counted of client connections, before a request has a route.

use super::cell::Counter;
use crate::ConnectionStats;

/// What one worker counted of its client connections. Only that worker's thread may write to it.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct ConnectionShard {
    open: Counter,
    accepted: Counter,
    /// TLS handshakes that failed.
    pub(crate) failed_handshakes: Counter,
    /// Requests refused before they had a route.
    pub(crate) refused_requests: Counter,
}

impl ConnectionShard {
    /// A connection was accepted.
    pub(crate) fn opened(&self) {
        self.accepted.add(1);
        self.open.add(1);
    }

    /// A connection that was accepted is gone.
    pub(crate) fn closed(&self) {
        self.open.subtract(1);
    }
}

/// The counters of client connections, by worker.
#[derive(Debug)]
pub(crate) struct ConnectionCounters {
    shards: Box<[ConnectionShard]>,
}

impl ConnectionCounters {
    pub(super) fn new(workers: usize) -> Self {
        Self { shards: (0..workers).map(|_| ConnectionShard::default()).collect() }
    }

    /// The shard of one worker.
    pub(crate) fn shard(&self, worker: usize) -> &ConnectionShard {
        &self.shards[worker]
    }

    pub(super) fn read(&self) -> ConnectionStats {
        let sum =
            |counter: fn(&ConnectionShard) -> &Counter| self.shards.iter().map(|s| counter(s).get()).sum();
        ConnectionStats {
            open: sum(|shard| &shard.open),
            accepted: sum(|shard| &shard.accepted),
            failed_handshakes: sum(|shard| &shard.failed_handshakes),
            refused_requests: sum(|shard| &shard.refused_requests),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_of_all_workers_add_up() {
        let counters = ConnectionCounters::new(2);
        counters.shard(0).opened();
        counters.shard(1).opened();
        counters.shard(1).opened();
        counters.shard(1).closed();
        counters.shard(0).failed_handshakes.add(1);
        counters.shard(1).refused_requests.add(4);
        let expected = ConnectionStats { open: 2, accepted: 3, failed_handshakes: 1, refused_requests: 4 };
        assert_eq!(counters.read(), expected);
    }
}
