//! What is counted of one version of one route.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use super::bursts::Bursts;
use super::cell::{Counter, Latencies};
use super::comparisons::Comparisons;
use crate::stats::{MirrorStats, VersionStats};

/// What one worker counted for one version. Aligned so that no two shards share a cache line or a prefetched pair.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Shard {
    requests: Counter,
    errors: Counter,
    pub(crate) broken: Counter,
    pub(crate) retries: Counter,
    pub(crate) in_flight: Counter,
    /// Bytes of request bodies that were passed on.
    pub(crate) bytes_in: Counter,
    /// Bytes of answers' bodies that were passed on.
    pub(crate) bytes_out: Counter,
    /// How often an instance was left out.
    pub(crate) ejections: Counter,
    last_request_micros: AtomicI64,
    latencies: Latencies,
    /// Allocated with the first copy: few versions ever get one.
    mirror: OnceLock<Box<MirrorShard>>,
}

impl Shard {
    /// A request is being sent now.
    pub(crate) fn sent(&self, now_micros: i64) {
        self.last_request_micros.store(now_micros, Ordering::Relaxed);
    }

    /// The head of an answer has come.
    pub(crate) fn answered(&self, error: bool, latency_micros: u64) {
        self.requests.add(1);
        if error {
            self.errors.add(1);
        }
        self.latencies.record(latency_micros);
    }

    /// Where copies of requests are counted, which count nowhere else.
    pub(crate) fn mirror(&self) -> &MirrorShard {
        self.mirror.get_or_init(Box::default)
    }

    fn read(&self) -> VersionStats {
        VersionStats {
            requests: self.requests.get(),
            errors: self.errors.get(),
            broken: self.broken.get(),
            // Counted by all workers together.
            failed_clients: 0,
            retries: self.retries.get(),
            in_flight: self.in_flight.get(),
            last_request_micros: self.last_request_micros.load(Ordering::Relaxed),
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out.get(),
            ejections: self.ejections.get(),
            latency: self.latencies.histogram(),
            latency_sum_micros: self.latencies.sum_micros(),
            mirror: self.mirror.get().map(|mirror| mirror.read()).unwrap_or_default(),
        }
    }
}

/// What one worker counted of copies that it sent to one version.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct MirrorShard {
    requests: Counter,
    errors: Counter,
    /// Copies that failed on the way.
    pub(crate) broken: Counter,
    /// Requests that should have been copied and were not.
    pub(crate) dropped: Counter,
    /// Bytes of copies, heads and bodies.
    pub(crate) bytes: Counter,
    latencies: Latencies,
}

impl MirrorShard {
    /// The head of the answer to a copy has come.
    pub(crate) fn answered(&self, error: bool, latency_micros: u64) {
        self.requests.add(1);
        if error {
            self.errors.add(1);
        }
        self.latencies.record(latency_micros);
    }

    fn read(&self) -> MirrorStats {
        MirrorStats {
            requests: self.requests.get(),
            errors: self.errors.get(),
            broken: self.broken.get(),
            dropped: self.dropped.get(),
            bytes: self.bytes.get(),
            latency: self.latencies.histogram(),
            latency_sum_micros: self.latencies.sum_micros(),
            // Comparisons are counted by all workers together.
            ..MirrorStats::default()
        }
    }
}

/// The counters of one version of one route. Whoever holds them keeps them from being forgotten.
#[derive(Debug)]
pub(crate) struct VersionCounters {
    shards: Box<[Shard]>,
    bursts: Bursts,
    comparisons: Comparisons,
}

impl VersionCounters {
    pub(super) fn new(workers: usize) -> Self {
        Self {
            shards: (0..workers).map(|_| Shard::default()).collect(),
            bursts: Bursts::default(),
            comparisons: Comparisons::default(),
        }
    }

    /// The shard of one worker. Only that worker's thread may write to it.
    pub(crate) fn shard(&self, worker: usize) -> &Shard {
        &self.shards[worker]
    }

    /// A request of this client has failed, which must have been counted before; `None` if the request did not say whose
    /// it is. To be said once of a request. Any thread may say it.
    pub(crate) fn failed(&self, client: Option<&[u8]>, now: Instant) {
        self.bursts.failed(client, now);
    }

    /// Where comparisons of answers to copies are counted. Any thread may do so.
    pub(crate) fn comparisons(&self) -> &Comparisons {
        &self.comparisons
    }

    pub(super) fn read(&self) -> VersionStats {
        // First, so that there are never more of them than failures.
        let failed_clients = self.bursts.begun();
        let mut sum =
            VersionStats { failed_clients, mirror: self.comparisons.read(), ..VersionStats::default() };
        self.shards.iter().for_each(|shard| sum.merge(&shard.read()));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_lie_apart() {
        assert_eq!(size_of::<Shard>(), 128, "a shard has outgrown its pair of cache lines");
        assert_eq!(size_of::<MirrorShard>(), 128);
    }

    #[test]
    fn shards_add_up() {
        let version = VersionCounters::new(2);
        for (worker, times) in [(0, 1), (1, 2)] {
            let shard = version.shard(worker);
            for time in 0..times {
                shard.sent(100 + time);
                shard.answered(worker == 1, 3_000);
                shard.bytes_in.add(10);
                shard.bytes_out.add(1_000);
                shard.ejections.add(1);
                shard.in_flight.add(1);
            }
        }
        version.shard(1).in_flight.subtract(1);

        let stats = version.read();
        assert_eq!((stats.requests, stats.errors, stats.last_request_micros), (3, 2, 101));
        assert_eq!((stats.bytes_in, stats.bytes_out, stats.ejections), (30, 3_000, 3));
        assert_eq!((stats.in_flight, stats.latency.count(), stats.latency_sum_micros), (2, 3, 9_000));
    }

    #[test]
    fn copies_are_counted_apart() {
        let version = VersionCounters::new(2);
        version.shard(0).mirror().answered(false, 500);
        version.shard(1).mirror().answered(true, 700);
        version.shard(1).mirror().bytes.add(64);
        version.shard(1).mirror().dropped.add(3);
        version.shard(0).mirror().broken.add(1);

        let stats = version.read();
        assert_eq!((stats.requests, stats.errors, stats.latency.count()), (0, 0, 0));
        let copies = &stats.mirror;
        assert_eq!((copies.requests, copies.errors, copies.broken, copies.dropped), (2, 1, 1, 3));
        assert_eq!((copies.bytes, copies.latency.count(), copies.latency_sum_micros), (64, 2, 1_200));
    }
}
