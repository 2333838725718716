//! What has happened between two readings.

use std::collections::BTreeMap;
use std::time::Duration;

use pilotage_proxy::{MirrorStats, RouteStats, VersionStats};

use super::source::Reading;

/// What has happened between two readings of an edge. Only counters: what is so at a moment is in the reading.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub elapsed: Duration,
    pub accepted: u64,
    pub log_lines_dropped: u64,
    pub routes: BTreeMap<String, RouteStats>,
}

impl Change {
    /// An edge that was started in between has counted from zero, and so has a version that was forgotten and came back:
    /// nothing is ever negative.
    pub fn between(before: &Reading, now: &Reading) -> Self {
        let same_edge = before.stats.started_micros == now.stats.started_micros;
        let nothing = RouteStats::default();
        let routes = now.stats.routes.iter().map(|(name, route)| {
            let earlier = before.stats.routes.get(name).filter(|_| same_edge);
            (name.clone(), since_route(route, earlier.unwrap_or(&nothing)))
        });
        let counted = |read: fn(&Reading) -> u64| since(read(now), if same_edge { read(before) } else { 0 });
        Self {
            elapsed: now.at.saturating_duration_since(before.at),
            accepted: counted(|reading| reading.stats.connections.accepted),
            log_lines_dropped: counted(|reading| reading.stats.access_log.dropped),
            routes: routes.collect(),
        }
    }

    /// Adds what has happened at another time.
    pub fn add(&mut self, other: &Self) {
        self.elapsed += other.elapsed;
        self.accepted += other.accepted;
        self.log_lines_dropped += other.log_lines_dropped;
        for (name, route) in &other.routes {
            let sum = self.routes.entry(name.clone()).or_default();
            sum.unserved += route.unserved;
            sum.refused += route.refused;
            for (version, stats) in &route.versions {
                sum.versions.entry(version.clone()).or_default().merge(stats);
            }
        }
    }
}

/// A counter that is lower than before has begun at zero again.
fn since(now: u64, before: u64) -> u64 {
    now.checked_sub(before).unwrap_or(now)
}

fn since_route(now: &RouteStats, before: &RouteStats) -> RouteStats {
    let nothing = VersionStats::default();
    let versions = now.versions.iter().map(|(name, version)| {
        (name.clone(), since_version(version, before.versions.get(name).unwrap_or(&nothing)))
    });
    RouteStats {
        versions: versions.collect(),
        unserved: since(now.unserved, before.unserved),
        refused: since(now.refused, before.refused),
        waiting: 0,
    }
}

fn since_version(now: &VersionStats, before: &VersionStats) -> VersionStats {
    // All of a version's counters begin anew together.
    let anew = now.requests < before.requests || now.broken < before.broken;
    let nothing = VersionStats::default();
    let before = if anew { &nothing } else { before };
    VersionStats {
        requests: since(now.requests, before.requests),
        errors: since(now.errors, before.errors),
        broken: since(now.broken, before.broken),
        retries: since(now.retries, before.retries),
        bytes_in: since(now.bytes_in, before.bytes_in),
        bytes_out: since(now.bytes_out, before.bytes_out),
        ejections: since(now.ejections, before.ejections),
        latency: now.latency.minus(&before.latency),
        mirror: MirrorStats {
            requests: since(now.mirror.requests, before.mirror.requests),
            errors: since(now.mirror.errors, before.mirror.errors),
            broken: since(now.mirror.broken, before.mirror.broken),
            dropped: since(now.mirror.dropped, before.mirror.dropped),
            bytes: since(now.mirror.bytes, before.mirror.bytes),
            ..MirrorStats::default()
        },
        ..VersionStats::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::window::tests::reading;
    use super::*;

    fn requests(change: &Change) -> u64 {
        change.routes["dev/api"].versions["1.0.0"].requests
    }

    #[test]
    fn a_restart_or_a_forgotten_version_counts_from_zero() {
        let (before, now) = (reading(1, 0, 100), reading(1, 1, 130));
        assert_eq!(requests(&Change::between(&before, &now)), 30);
        let restarted = reading(2, 1, 7);
        assert_eq!(requests(&Change::between(&before, &restarted)), 7);
        let busy = reading(2, 1, 500);
        assert_eq!(requests(&Change::between(&before, &busy)), 500);
        let forgotten = reading(1, 1, 4);
        let change = Change::between(&before, &forgotten);
        assert_eq!(requests(&change), 4);
        assert_eq!(change.routes["dev/api"].versions["1.0.0"].latency.count(), 4);
    }
}
