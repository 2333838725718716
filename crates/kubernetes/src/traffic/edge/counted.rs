//! What all edge pods have counted, together.

use std::collections::{BTreeMap, BTreeSet};

use pilotage_proxy::EdgeStats;

/// How many readings of edges that are gone are kept one by one; older ones are folded into one.
const MOST_GONE: usize = 64;

/// One edge: a pod, and when its counters began, since a container that is started again begins at zero.
type Edge = (String, i64);

/// The last reading of each edge that was ever read. An edge that goes away stays counted, so that no sum ever falls; what it
/// counted after its last reading is lost.
#[derive(Debug, Default)]
pub(super) struct Counted {
    edges: BTreeMap<Edge, EdgeStats>,
    /// Edges that are gone, folded into one.
    gone: EdgeStats,
    /// When the sum began at zero: the start of the first edge. It stays, since the sum never begins again.
    started_micros: Option<i64>,
}

impl Counted {
    /// Takes in readings, by the uid of the pod, of all pods that there are (`present`), and says the sum.
    pub(super) fn take(&mut self, readings: Vec<(String, EdgeStats)>, present: &BTreeSet<&str>) -> EdgeStats {
        for (uid, stats) in readings {
            self.edges.insert((uid, stats.started_micros), stats);
        }
        self.settle(present);
        self.sum(present)
    }

    /// Whether a pod was ever read.
    pub(super) fn knows(&self, uid: &str) -> bool {
        self.edges.keys().any(|(known, _)| known == uid)
    }

    /// Where an edge has ended, nothing is in flight any more.
    fn settle(&mut self, present: &BTreeSet<&str>) {
        let mut latest: BTreeMap<&str, i64> = BTreeMap::new();
        for (uid, started) in self.edges.keys() {
            let known = latest.entry(uid).or_insert(*started);
            *known = (*known).max(*started);
        }
        let over = |(uid, started): &Edge| {
            !present.contains(uid.as_str()) || latest.get(uid.as_str()) != Some(started)
        };
        let over: Vec<Edge> = self.edges.keys().filter(|edge| over(edge)).cloned().collect();
        let surplus = over.len().saturating_sub(MOST_GONE);
        for edge in &over {
            if let Some(stats) = self.edges.get_mut(edge) {
                stats.settle();
            }
        }
        for edge in over.iter().take(surplus) {
            if let Some(stats) = self.edges.remove(edge) {
                self.gone.merge(&stats);
            }
        }
    }

    fn sum(&mut self, present: &BTreeSet<&str>) -> EdgeStats {
        let earliest = self.edges.values().map(|stats| stats.started_micros).min();
        self.started_micros = self.started_micros.or(earliest);
        let started_micros = self.started_micros.unwrap_or_default();
        let mut sum = EdgeStats { started_micros, ..EdgeStats::default() };
        sum.merge(&self.gone);
        for ((uid, _), stats) in &self.edges {
            sum.merge(stats);
            if present.contains(uid.as_str()) {
                sum.epoch = sum.epoch.max(stats.epoch);
            }
        }
        sum
    }
}
