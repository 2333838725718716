//! What is fed to the judge: what two versions did between two looks.

use serde::{Deserialize, Serialize};

/// What one version did since the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Requests that came to an end.
    pub requests: u64,
    /// Of these, failed ones.
    pub failed: u64,
    /// Of the failed ones, those that began a burst of their client. Where clients are not told apart, all of them.
    pub failed_clients: u64,
    /// How long requests took, as `(microseconds, requests)` with the times rising. Empty where it is not known.
    pub latencies: Vec<(u64, u64)>,
}

/// What two versions did since the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The new version.
    pub candidate: Side,
    /// The version that it is compared with.
    pub stable: Side,
    /// Whether the stable version has a share of the traffic, so that the one can be compared with the other.
    pub beside: bool,
    /// The time since the last look, in microseconds.
    pub micros: u64,
}

impl Side {
    /// Adds what the same version did in another time.
    pub(crate) fn add(&mut self, more: &Self) {
        self.requests = self.requests.saturating_add(more.requests);
        self.failed = self.failed.saturating_add(more.failed);
        self.failed_clients = self.failed_clients.saturating_add(more.failed_clients);
        merge(&mut self.latencies, &more.latencies);
    }

    /// The share of requests that failed; `None` if there were none.
    #[expect(clippy::cast_precision_loss, reason = "counts of requests are far below 2^52")]
    pub(crate) fn failed_share(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.failed as f64 / self.requests as f64)
    }

    /// The time in microseconds that so many thousandths of the requests did not exceed; `None` if none was measured.
    pub(crate) fn quantile(&self, thousandths: u32) -> Option<u64> {
        let all: u128 = self.latencies.iter().map(|(_, requests)| u128::from(*requests)).sum();
        let mut seen = 0;
        let reached = self.latencies.iter().find(|(_, requests)| {
            seen += u128::from(*requests);
            seen * 1_000 >= all * u128::from(thousandths)
        });
        reached.map(|(micros, _)| *micros)
    }

    /// Requests whose time is known, and how many of them took longer than this.
    pub(super) fn slower_than(&self, micros: u64) -> (u64, u64) {
        let sum = |times: &[(u64, u64)]| times.iter().map(|(_, requests)| requests).sum();
        let fast = self.latencies.partition_point(|(time, _)| *time <= micros);
        (sum(&self.latencies), sum(&self.latencies[fast..]))
    }

    /// No more failures than requests, and no more clients that fail than failures: counters that were read while they
    /// changed may say otherwise.
    pub(super) fn consistent(mut self) -> Self {
        self.requests = self.requests.max(self.failed);
        self.failed_clients = self.failed_clients.min(self.failed);
        self
    }
}

/// Adds latencies to others, both as `(microseconds, requests)` with the times rising.
pub(super) fn merge(into: &mut Vec<(u64, u64)>, more: &[(u64, u64)]) {
    if into.is_empty() {
        into.extend_from_slice(more);
        return;
    }
    for (micros, requests) in more {
        match into.binary_search_by_key(micros, |(at, _)| *at) {
            Ok(index) => into[index].1 = into[index].1.saturating_add(*requests),
            Err(index) => into.insert(index, (*micros, *requests)),
        }
    }
}
