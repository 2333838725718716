//! What is fed to the judge: what two versions did between two looks.

/// What one version did since the last look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
