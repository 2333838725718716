//! The edge's counters as differences: what happened since a point in time.

use std::collections::BTreeMap;

use pilotage_proxy::{EdgeStats, Histogram, VersionStats};

use crate::CopyCounts;

/// What a version did within a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were sent to it and came to an end.
    pub requests: u64,
    /// Of these, failed ones: status 500 and above, or the connection broke.
    pub failed: u64,
    /// Of the failed ones, those that begin a burst: a client that fails over and over is one.
    pub failed_clients: u64,
}

/// The counters since a point in time. When the edge starts again its counters begin at zero; the window goes on, and
/// loses only what was counted between the last reading and the restart.
#[derive(Debug, Clone)]
pub struct EdgeWindow {
    last: EdgeStats,
    /// By route, then by version.
    sums: BTreeMap<String, BTreeMap<String, Sum>>,
}

/// What has been counted since the window began.
#[derive(Debug, Clone, Default)]
struct Sum {
    counts: Counts,
    latency: Histogram,
    copies: CopyCounts,
}

static NO_LATENCY: Histogram = Histogram { buckets: Vec::new() };

impl EdgeWindow {
    /// A window that begins with this reading.
    pub fn new(baseline: EdgeStats) -> Self {
        Self { last: baseline, sums: BTreeMap::new() }
    }

    /// Takes in a newer reading. A reading older than the last one, of the same edge, cannot be told from a restart:
    /// hand them in as they were taken.
    pub fn update(&mut self, now: &EdgeStats) {
        let same_edge = now.started_micros == self.last.started_micros;
        for (route, stats) in &now.routes {
            let before = self.last.routes.get(route).filter(|_| same_edge);
            let sums = self.sums.entry(route.clone()).or_default();
            for (version, stats) in &stats.versions {
                let before = before.and_then(|route| route.versions.get(version));
                let since = before.filter(|before| !has_begun_again(before, stats));
                sums.entry(version.clone()).or_default().add(since, stats);
            }
        }
        self.last = now.clone();
    }

    /// What a version of a route did since the window began. Of an unknown one, nothing.
    pub fn version(&self, route: &str, version: &str) -> Counts {
        self.sum(route, version).map(|sum| sum.counts).unwrap_or_default()
    }

    /// All versions of a route that had any requests since the window began, or were there when it did.
    pub fn versions(&self, route: &str) -> impl Iterator<Item = (&str, Counts)> {
        let sums = self.sums.get(route).into_iter().flatten();
        sums.map(|(version, sum)| (version.as_str(), sum.counts))
    }

    /// The latencies of a version of a route since the window began. Of an unknown one, none.
    pub fn latency(&self, route: &str, version: &str) -> &Histogram {
        self.sum(route, version).map_or(&NO_LATENCY, |sum| &sum.latency)
    }

    /// What came of copies that a version of a route got since the window began; `None` of an unknown one.
    pub fn copies(&self, route: &str, version: &str) -> Option<&CopyCounts> {
        self.sum(route, version).map(|sum| &sum.copies)
    }

    fn sum(&self, route: &str, version: &str) -> Option<&Sum> {
        self.sums.get(route)?.get(version)
    }
}

impl Sum {
    fn add(&mut self, since: Option<&VersionStats>, now: &VersionStats) {
        let nothing = VersionStats::default();
        let since = since.unwrap_or(&nothing);
        let broken = now.broken.saturating_sub(since.broken);
        self.counts.requests += now.requests.saturating_sub(since.requests) + broken;
        let failed = now.errors.saturating_sub(since.errors) + broken;
        self.counts.failed += failed;
        // The first failure of all begins a burst: an edge that has seen none does not know of bursts, being older.
        let knows_bursts = now.failed_clients > 0;
        let begun = now.failed_clients.saturating_sub(since.failed_clients);
        self.counts.failed_clients += if knows_bursts { begun } else { failed };
        self.latency.merge(&now.latency.minus(&since.latency));
        self.copies.add(&since.mirror, &now.mirror);
    }
}

/// Counters only rise; one that is lower than before was set to zero in between.
fn has_begun_again(before: &VersionStats, now: &VersionStats) -> bool {
    now.requests < before.requests || now.errors < before.errors || now.broken < before.broken
}

#[cfg(test)]
mod tests {
    use pilotage_proxy::RouteStats;

    use super::*;

    /// A reading of one version: requests of which some failed, each with this latency.
    fn reading(
        started_micros: i64,
        requests: u64,
        errors: u64,
        broken: u64,
        latency_micros: u64,
    ) -> EdgeStats {
        let mut latency = Histogram::default();
        (0..requests).for_each(|_| latency.record(latency_micros));
        let version = VersionStats { requests, errors, broken, latency, ..VersionStats::default() };
        let route =
            RouteStats { versions: BTreeMap::from([("1.0.0".to_owned(), version)]), ..RouteStats::default() };
        EdgeStats {
            started_micros,
            epoch: 1,
            routes: BTreeMap::from([("dev/api".to_owned(), route)]),
            ..EdgeStats::default()
        }
    }

    fn counts(window: &EdgeWindow) -> (u64, u64) {
        let counts = window.version("dev/api", "1.0.0");
        (counts.requests, counts.failed)
    }

    #[test]
    fn only_what_came_after_the_baseline_counts() {
        let mut window = EdgeWindow::new(reading(1, 100, 50, 0, 1_000));
        assert_eq!(counts(&window), (0, 0));
        window.update(&reading(1, 110, 51, 2, 1_000));
        assert_eq!(counts(&window), (12, 3));
    }

    #[test]
    fn the_same_reading_twice_adds_nothing() {
        let mut window = EdgeWindow::new(EdgeStats { started_micros: 1, ..EdgeStats::default() });
        window.update(&reading(1, 10, 1, 0, 500));
        window.update(&reading(1, 10, 1, 0, 500));
        assert_eq!(counts(&window), (10, 1));
    }

    #[test]
    fn a_restart_of_the_edge_goes_on_from_what_was_counted() {
        let mut window = EdgeWindow::new(reading(1, 100, 5, 0, 500));
        window.update(&reading(1, 130, 8, 0, 500));
        window.update(&reading(2, 20, 1, 1, 500));
        window.update(&reading(2, 25, 1, 1, 500));
        assert_eq!(counts(&window), (30 + 25 + 1, 3 + 1 + 1));
    }

    #[test]
    fn a_restart_that_has_already_counted_more_than_before_is_seen_by_its_start() {
        let mut window = EdgeWindow::new(reading(1, 10, 0, 0, 500));
        window.update(&reading(2, 40, 0, 0, 500));
        assert_eq!(counts(&window), (40, 0));
    }

    #[test]
    fn a_counter_that_fell_has_begun_at_zero_and_nothing_is_negative() {
        let mut window = EdgeWindow::new(reading(1, 100, 50, 0, 500));
        window.update(&reading(1, 7, 1, 0, 500));
        assert_eq!(counts(&window), (7, 1));
    }

    #[test]
    fn clients_that_failed_are_those_of_the_window_and_every_failure_where_the_edge_does_not_fold_them() {
        let folding = |errors, failed_clients| {
            let mut reading = reading(1, 100, errors, 0, 500);
            let route = reading.routes.get_mut("dev/api").unwrap();
            route.versions.get_mut("1.0.0").unwrap().failed_clients = failed_clients;
            reading
        };
        let failed_clients = |before: &EdgeStats, after: &EdgeStats| {
            let mut window = EdgeWindow::new(before.clone());
            window.update(after);
            window.version("dev/api", "1.0.0").failed_clients
        };
        assert_eq!(failed_clients(&folding(9, 2), &folding(40, 5)), 3);
        assert_eq!(failed_clients(&folding(9, 2), &folding(40, 2)), 0);
        assert_eq!(failed_clients(&folding(9, 0), &folding(40, 0)), 31);
    }

    #[test]
    fn latencies_are_those_of_the_window() {
        let slow = reading(1, 1_000, 0, 0, 1_000_000);
        let mut window = EdgeWindow::new(slow.clone());
        let mut now = slow;
        let stats = now.routes.get_mut("dev/api").unwrap().versions.get_mut("1.0.0").unwrap();
        stats.requests += 1;
        stats.latency.record(100);
        window.update(&now);
        let latency = window.latency("dev/api", "1.0.0");
        assert!(latency.count() == 1 && latency.bounded_counts().all(|(bound, _)| bound <= 104));
    }

    #[test]
    fn what_is_not_known_has_done_nothing() {
        let window = EdgeWindow::new(EdgeStats::default());
        assert_eq!(window.version("dev/api", "9.9.9"), Counts::default());
        assert_eq!(window.latency("dev/api", "9.9.9").count(), 0);
    }
}
