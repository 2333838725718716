//! What has happened in the last seconds.

use std::collections::VecDeque;
use std::time::Duration;

use super::change::Change;
use super::source::Reading;

/// The changes of the last seconds, and the last reading.
#[derive(Debug)]
pub struct Window {
    span: Duration,
    last: Reading,
    changes: VecDeque<Change>,
}

impl Window {
    /// A window that begins with this reading, and holds what happened in a time of about this length: at least the last
    /// change.
    pub fn new(first: Reading, span: Duration) -> Self {
        Self { span, last: first, changes: VecDeque::new() }
    }

    /// Takes in a newer reading.
    pub fn push(&mut self, now: Reading) {
        self.changes.push_back(Change::between(&self.last, &now));
        self.last = now;
        let mut held: Duration = self.changes.iter().map(|change| change.elapsed).sum();
        while let Some(oldest) = self.changes.front()
            && self.changes.len() > 1
            && held > self.span
        {
            held = held.saturating_sub(oldest.elapsed);
            self.changes.pop_front();
        }
    }

    /// The last reading.
    pub fn last(&self) -> &Reading {
        &self.last
    }

    /// All that has happened within the window.
    pub fn sum(&self) -> Change {
        let mut sum = Change::default();
        self.changes.iter().for_each(|change| sum.add(change));
        sum
    }
}

#[cfg(test)]
pub mod tests {
    use std::collections::BTreeMap;
    use std::sync::OnceLock;
    use std::time::Instant;

    use pilotage_proxy::{EdgeStats, Histogram, Identity, RouteStats, RoutingTable, VersionStats};

    use super::*;

    /// A reading of `dev/api` 1.0.0 with so many requests of 2 ms, so many seconds after the first.
    pub fn reading(started_micros: i64, second: u64, requests: u64) -> Reading {
        static BEGUN: OnceLock<Instant> = OnceLock::new();
        let mut latency = Histogram::default();
        (0..requests).for_each(|_| latency.record(2_000));
        let version = VersionStats { requests, latency, ..VersionStats::default() };
        let route =
            RouteStats { versions: BTreeMap::from([("1.0.0".into(), version)]), ..RouteStats::default() };
        Reading {
            at: *BEGUN.get_or_init(Instant::now) + Duration::from_secs(second),
            stats: EdgeStats {
                started_micros,
                epoch: 3,
                routes: BTreeMap::from([("dev/api".into(), route)]),
                ..EdgeStats::default()
            },
            table: RoutingTable::empty(),
            identity: Identity { pid: 4711, version: "0.1.0".into(), started_micros },
        }
    }

    fn requests(window: &Window) -> (u64, u64) {
        let sum = window.sum();
        (sum.routes["dev/api"].versions["1.0.0"].requests, sum.elapsed.as_secs())
    }

    #[test]
    fn only_the_last_seconds_count() {
        let mut window = Window::new(reading(1, 0, 1_000), Duration::from_secs(3));
        for second in 1..=10 {
            window.push(reading(1, second, 1_000 + 10 * second));
        }
        assert_eq!(requests(&window), (30, 3));
    }

    #[test]
    fn one_long_interval_counts_whole() {
        let mut window = Window::new(reading(1, 0, 0), Duration::from_secs(3));
        window.push(reading(1, 60, 600));
        assert_eq!(requests(&window), (600, 60));
    }

    #[test]
    fn a_replaced_edge_makes_nothing_negative() {
        let mut window = Window::new(reading(1, 0, 1_000), Duration::from_secs(10));
        window.push(reading(1, 1, 1_010));
        window.push(reading(2, 2, 5));
        window.push(reading(2, 3, 15));
        assert_eq!(requests(&window), (25, 3));
    }
}
