//! Copies of requests as differences: what came of them since a point in time.

use pilotage_proxy::{Histogram, MirrorStats};

/// What came of the copies that a version got within a window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CopyCounts {
    /// Copies that were answered or came to nothing.
    pub requests: u64,
    /// Of these, answers with status 500 and above, and those that came to nothing.
    pub failed: u64,
    /// Of these, those that came to nothing: the connection broke, or no answer came in time.
    pub unanswered: u64,
    /// Answers that were compared with those that users got.
    pub compared: u64,
    /// Of these, those with another status.
    pub differing_status: u64,
    /// Of these, those with the same status and another body.
    pub differing_body: u64,
    /// Answers that were to be compared and could not be.
    pub uncompared: u64,
    /// Requests that were to be copied and were not, for want of room.
    pub dropped: u64,
    /// Latencies of the answers' heads, in microseconds.
    pub latency: Histogram,
}

impl CopyCounts {
    /// Takes in what was counted between two readings. Counters that are lower than before have begun again at zero.
    pub(crate) fn add(&mut self, before: &MirrorStats, now: &MirrorStats) {
        let began_again = now.requests < before.requests || now.broken < before.broken;
        let nothing = MirrorStats::default();
        let before = if began_again { &nothing } else { before };
        let since = |counter: fn(&MirrorStats) -> u64| counter(now).saturating_sub(counter(before));
        let unanswered = since(|stats| stats.broken);
        self.requests += since(|stats| stats.requests) + unanswered;
        self.failed += since(|stats| stats.errors) + unanswered;
        self.unanswered += unanswered;
        self.compared += since(|stats| stats.compared);
        self.differing_status += since(|stats| stats.differing_status);
        self.differing_body += since(|stats| stats.differing_body);
        self.uncompared += since(|stats| stats.uncompared);
        self.dropped += since(|stats| stats.dropped);
        self.latency.merge(&now.latency.minus(&before.latency));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_since_counts_and_a_restart_loses_little() {
        let stats =
            |requests, broken, compared| MirrorStats { requests, broken, compared, ..MirrorStats::default() };
        let mut copies = CopyCounts::default();
        copies.add(&stats(100, 5, 90), &stats(150, 7, 135));
        assert_eq!((copies.requests, copies.failed, copies.unanswered, copies.compared), (52, 2, 2, 45));
        copies.add(&stats(150, 7, 135), &stats(10, 0, 9));
        assert_eq!((copies.requests, copies.compared), (62, 54));
    }
}
