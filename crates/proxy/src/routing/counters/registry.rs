//! All counters of the edge, and what of them is forgotten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::route::Kept;
use super::{AccessLogCounters, ConnectionCounters, RouteCounters};
use crate::EdgeStats;

/// How often it is looked for what can be forgotten, at most.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// The counters of everything that this edge routes, or has routed until an hour ago.
#[derive(Debug)]
pub(crate) struct Registry {
    workers: usize,
    started_micros: i64,
    connections: Arc<ConnectionCounters>,
    access_log: Arc<AccessLogCounters>,
    routes: Mutex<Routes>,
}

#[derive(Debug, Default)]
struct Routes {
    by_name: BTreeMap<String, Kept<RouteCounters>>,
    looked_at: Option<Instant>,
}

impl Registry {
    pub(crate) fn new(workers: usize, started_micros: i64) -> Self {
        Self {
            workers,
            started_micros,
            connections: Arc::new(ConnectionCounters::new(workers)),
            access_log: Arc::default(),
            routes: Mutex::default(),
        }
    }

    /// The counters of client connections.
    pub(crate) fn connections(&self) -> Arc<ConnectionCounters> {
        Arc::clone(&self.connections)
    }

    /// The counters of the access log.
    pub(crate) fn access_log(&self) -> Arc<AccessLogCounters> {
        Arc::clone(&self.access_log)
    }

    /// The counters of a route, which begin at zero when it is first named.
    pub(crate) fn route(&self, route: &str) -> Arc<RouteCounters> {
        let mut routes = self.lock();
        routes.forget_outlived(Instant::now());
        if let Some(kept) = routes.by_name.get(route) {
            return Arc::clone(&kept.counters);
        }
        let kept = Kept::new(RouteCounters::new(self.workers));
        let counters = Arc::clone(&kept.counters);
        routes.by_name.insert(route.to_owned(), kept);
        counters
    }

    /// Sums everything up.
    pub(crate) fn read(&self, epoch: u64) -> EdgeStats {
        self.read_at(epoch, Instant::now())
    }

    fn read_at(&self, epoch: u64, now: Instant) -> EdgeStats {
        let mut routes = self.lock();
        routes.forget_outlived(now);
        let read = |(name, kept): (&String, &Kept<RouteCounters>)| (name.clone(), kept.counters.read());
        EdgeStats {
            started_micros: self.started_micros,
            epoch,
            routes: routes.by_name.iter().map(read).collect(),
            connections: self.connections.read(),
            access_log: self.access_log.read(),
            ..EdgeStats::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, Routes> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Routes {
    /// A route goes when nobody has had it for long and its last version has gone.
    fn forget_outlived(&mut self, now: Instant) {
        if self.looked_at.is_some_and(|at| now.saturating_duration_since(at) < LOOK_EVERY) {
            return;
        }
        self.looked_at = Some(now);
        self.by_name.retain(|_, kept| {
            let has_versions = kept.counters.forget_outlived(now);
            !kept.is_outlived(now) || has_versions
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::route::FORGET_AFTER;
    use super::*;

    const NAME: &str = "production/web";

    fn versions(registry: &Registry, now: Instant) -> Option<Vec<String>> {
        let stats = registry.read_at(1, now);
        stats.routes.get(NAME).map(|route| route.versions.keys().cloned().collect())
    }

    #[test]
    fn everything_is_read_at_once() {
        let registry = Registry::new(2, 5);
        let route = registry.route(NAME);
        route.version("1.0.0").shard(1).answered(false, 100);
        registry.route(NAME).unserved(1).add(2);
        route.refused(0).add(1);
        route.refused(1).add(1);
        route.waiting(0).add(3);
        route.waiting(0).subtract(1);
        registry.connections().shard(0).opened();
        registry.access_log().add_written(7);
        registry.access_log().add_dropped(1);

        let stats = registry.read(9);
        assert_eq!((stats.started_micros, stats.epoch), (5, 9));
        let route = &stats.routes[NAME];
        assert_eq!((route.unserved, route.refused, route.waiting), (2, 2, 2));
        assert_eq!(route.versions["1.0.0"].requests, 1);
        assert_eq!((stats.connections.open, stats.connections.accepted), (1, 1));
        assert_eq!((stats.access_log.written, stats.access_log.dropped), (7, 1));
    }

    #[test]
    fn what_nobody_uses_is_forgotten_only_after_a_while() {
        let registry = Registry::new(1, 0);
        let begun = Instant::now();
        let route = registry.route(NAME);
        let (old, new) = (route.version("1.0.0"), route.version("2.0.0"));
        old.shard(0).answered(false, 1);
        drop(old);

        let noticed = begun + 2 * LOOK_EVERY;
        assert_eq!(versions(&registry, noticed).unwrap(), ["1.0.0", "2.0.0"]);
        let last = noticed + FORGET_AFTER;
        assert_eq!(versions(&registry, last - Duration::from_millis(1)).unwrap(), ["1.0.0", "2.0.0"]);
        assert_eq!(versions(&registry, last + LOOK_EVERY).unwrap(), ["2.0.0"]);

        drop((route, new));
        let unused = last + 2 * LOOK_EVERY;
        assert_eq!(versions(&registry, unused).unwrap(), ["2.0.0"]);
        assert_eq!(versions(&registry, unused + FORGET_AFTER), None, "the route and its last version");
        assert_eq!(registry.route(NAME).version("1.0.0").read().requests, 0, "it begins anew");
    }

    #[test]
    fn a_request_in_flight_keeps_the_counters_and_coming_back_takes_them_up_again() {
        let registry = Registry::new(1, 0);
        let begun = Instant::now();
        // The table no longer names it; the request that was sent to it goes on.
        let in_flight = registry.route(NAME).version("1.0.0");
        let much_later = begun + 3 * FORGET_AFTER;
        versions(&registry, begun);
        assert_eq!(versions(&registry, much_later).unwrap(), ["1.0.0"]);
        in_flight.shard(0).answered(false, 1);
        drop(in_flight);

        versions(&registry, much_later + LOOK_EVERY);
        let back = registry.route(NAME).version("1.0.0");
        assert_eq!(back.read().requests, 1);
        assert_eq!(versions(&registry, much_later + 3 * FORGET_AFTER).unwrap(), ["1.0.0"]);
    }
}
