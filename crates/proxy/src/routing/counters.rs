//! Counters by route, version and worker thread.
//!
//! Each thread writes only its own shard, so counting is a plain load and store on a cache line that nobody else
//! writes. A reader sums the shards.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::stats::{BUCKETS, Histogram, VersionStats, bucket_of};
use crate::{EdgeStats, RouteStats};

/// A counter with one writing thread.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: u64) {
        self.0.store(self.get().wrapping_add(amount), Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, amount: u64) {
        self.0.store(self.get().saturating_sub(amount), Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What one worker counted for one version. Aligned so that no two shards share a cache line or a prefetched pair.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Shard {
    pub(crate) requests: Counter,
    pub(crate) errors: Counter,
    pub(crate) broken: Counter,
    pub(crate) retries: Counter,
    pub(crate) in_flight: Counter,
    last_request_micros: AtomicI64,
    /// Allocated with the first record: most versions of a long-lived edge take no traffic on most threads.
    latency: OnceLock<Box<[Counter]>>,
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
        let buckets = self.latency.get_or_init(|| (0..BUCKETS).map(|_| Counter::default()).collect());
        if let Some(bucket) = buckets.get(bucket_of(latency_micros)) {
            bucket.add(1);
        }
    }

    fn read(&self) -> VersionStats {
        let buckets = self.latency.get().into_iter().flat_map(|buckets| buckets.iter().enumerate());
        VersionStats {
            requests: self.requests.get(),
            errors: self.errors.get(),
            broken: self.broken.get(),
            retries: self.retries.get(),
            in_flight: self.in_flight.get(),
            last_request_micros: self.last_request_micros.load(Ordering::Relaxed),
            latency: Histogram::from_counts(buckets.map(|(bucket, counter)| (bucket, counter.get()))),
            ..VersionStats::default()
        }
    }
}

/// The counters of one version of one route.
#[derive(Debug)]
pub(crate) struct VersionCounters {
    shards: Box<[Shard]>,
}

impl VersionCounters {
    fn new(workers: usize) -> Self {
        Self { shards: (0..workers).map(|_| Shard::default()).collect() }
    }

    /// The shard of one worker. Only that worker's thread may write to it.
    pub(crate) fn shard(&self, worker: usize) -> &Shard {
        &self.shards[worker]
    }

    fn read(&self) -> VersionStats {
        let mut sum = VersionStats::default();
        for shard in self.shards.iter().map(Shard::read) {
            sum.requests += shard.requests;
            sum.errors += shard.errors;
            sum.broken += shard.broken;
            sum.retries += shard.retries;
            sum.in_flight += shard.in_flight;
            sum.last_request_micros = sum.last_request_micros.max(shard.last_request_micros);
            sum.latency.merge(&shard.latency);
        }
        sum
    }
}

#[derive(Debug, Default)]
#[repr(align(128))]
struct PaddedCounter(Counter);

/// The counters of one route.
#[derive(Debug)]
pub(crate) struct RouteCounters {
    unserved: Box<[PaddedCounter]>,
    versions: Mutex<BTreeMap<String, Arc<VersionCounters>>>,
}

impl RouteCounters {
    fn new(workers: usize) -> Self {
        Self {
            unserved: (0..workers).map(|_| PaddedCounter::default()).collect(),
            versions: Mutex::default(),
        }
    }

    /// How many requests one worker could not hand to any version.
    pub(crate) fn unserved(&self, worker: usize) -> &Counter {
        &self.unserved[worker].0
    }

    /// The counters of a version, which begin at zero when it is first named.
    pub(crate) fn version(&self, version: &str) -> Arc<VersionCounters> {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counters) = versions.get(version) {
            return Arc::clone(counters);
        }
        let counters = Arc::new(VersionCounters::new(self.unserved.len()));
        versions.insert(version.to_owned(), Arc::clone(&counters));
        counters
    }

    fn read(&self) -> RouteStats {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        RouteStats {
            versions: versions.iter().map(|(name, counters)| (name.clone(), counters.read())).collect(),
            unserved: self.unserved.iter().map(|counter| counter.0.get()).sum(),
            ..RouteStats::default()
        }
    }
}

/// The counters of everything that was ever routed by this edge.
#[derive(Debug)]
pub(crate) struct Registry {
    workers: usize,
    started_micros: i64,
    routes: Mutex<BTreeMap<String, Arc<RouteCounters>>>,
}

impl Registry {
    pub(crate) fn new(workers: usize, started_micros: i64) -> Self {
        Self { workers, started_micros, routes: Mutex::default() }
    }

    /// The counters of a route, which begin at zero when it is first named.
    pub(crate) fn route(&self, route: &str) -> Arc<RouteCounters> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counters) = routes.get(route) {
            return Arc::clone(counters);
        }
        let counters = Arc::new(RouteCounters::new(self.workers));
        routes.insert(route.to_owned(), Arc::clone(&counters));
        counters
    }

    /// Sums everything up.
    pub(crate) fn read(&self, epoch: u64) -> EdgeStats {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        EdgeStats {
            started_micros: self.started_micros,
            epoch,
            routes: routes.iter().map(|(name, counters)| (name.clone(), counters.read())).collect(),
            ..EdgeStats::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_add_up() {
        let registry = Registry::new(2, 5);
        let version = registry.route("production/web").version("1.0.0");
        version.shard(0).answered(false, 100);
        version.shard(1).answered(true, 3_000);
        version.shard(1).sent(77);
        version.shard(0).sent(12);
        registry.route("production/web").unserved(1).add(2);

        let stats = registry.read(9);
        assert_eq!((stats.started_micros, stats.epoch), (5, 9));
        let route = &stats.routes["production/web"];
        assert_eq!(route.unserved, 2);
        let version = &route.versions["1.0.0"];
        assert_eq!((version.requests, version.errors, version.last_request_micros), (2, 1, 77));
        assert_eq!(version.latency.count(), 2);
    }
}
