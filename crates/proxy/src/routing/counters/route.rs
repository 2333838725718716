//! What is counted of one route.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::VersionCounters;
use super::cell::Counter;
use crate::RouteStats;

/// How long counters that nobody can count in any more are still shown: whoever reads differences has to come by within
/// that time for the last one.
pub(super) const FORGET_AFTER: Duration = Duration::from_secs(60 * 60);

/// Counters that are handed out, and forgotten a while after the last one who had them has given them up.
#[derive(Debug)]
pub(super) struct Kept<T> {
    pub(super) counters: Arc<T>,
    unused_since: Option<Instant>,
}

impl<T> Kept<T> {
    pub(super) fn new(counters: T) -> Self {
        Self { counters: Arc::new(counters), unused_since: None }
    }

    /// Whether nobody has had the counters for long. A table that names them has them, and so has each request in flight.
    /// Must be asked now and then, and while nobody is handed them.
    pub(super) fn is_outlived(&mut self, now: Instant) -> bool {
        if Arc::strong_count(&self.counters) > 1 {
            self.unused_since = None;
            return false;
        }
        let since = *self.unused_since.get_or_insert(now);
        now.saturating_duration_since(since) >= FORGET_AFTER
    }
}

/// What one worker counted for one route, whatever the version.
#[derive(Debug, Default)]
#[repr(align(128))]
struct RouteShard {
    unserved: Counter,
    refused: Counter,
    waiting: Counter,
}

/// The counters of one route. Of each worker's, only that worker's thread may write to them.
#[derive(Debug)]
pub(crate) struct RouteCounters {
    shards: Box<[RouteShard]>,
    versions: Mutex<BTreeMap<String, Kept<VersionCounters>>>,
}

impl RouteCounters {
    pub(super) fn new(workers: usize) -> Self {
        Self { shards: (0..workers).map(|_| RouteShard::default()).collect(), versions: Mutex::default() }
    }

    /// How many requests one worker could not hand to any version.
    pub(crate) fn unserved(&self, worker: usize) -> &Counter {
        &self.shards[worker].unserved
    }

    /// How many requests one worker refused because a limit of the route was reached.
    pub(crate) fn refused(&self, worker: usize) -> &Counter {
        &self.shards[worker].refused
    }

    /// How many requests of one worker wait now. Rises and falls.
    pub(crate) fn waiting(&self, worker: usize) -> &Counter {
        &self.shards[worker].waiting
    }

    /// The counters of a version, which begin at zero when it is first named.
    pub(crate) fn version(&self, version: &str) -> Arc<VersionCounters> {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = versions.get(version) {
            return Arc::clone(&kept.counters);
        }
        let kept = Kept::new(VersionCounters::new(self.shards.len()));
        let counters = Arc::clone(&kept.counters);
        versions.insert(version.to_owned(), kept);
        counters
    }

    /// Forgets versions that nobody has had for long, and says whether any are left.
    pub(super) fn forget_outlived(&self, now: Instant) -> bool {
        let mut versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        versions.retain(|_, kept| !kept.is_outlived(now));
        !versions.is_empty()
    }

    pub(super) fn read(&self) -> RouteStats {
        let versions = self.versions.lock().unwrap_or_else(PoisonError::into_inner);
        RouteStats {
            versions: versions.iter().map(|(name, kept)| (name.clone(), kept.counters.read())).collect(),
            unserved: self.shards.iter().map(|shard| shard.unserved.get()).sum(),
            refused: self.shards.iter().map(|shard| shard.refused.get()).sum(),
            waiting: self.shards.iter().map(|shard| shard.waiting.get()).sum(),
        }
    }
}
