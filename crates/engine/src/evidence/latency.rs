//! Slow requests, counted as failures are: those above a cut-off that was frozen beforehand.

use serde::{Deserialize, Serialize};

/// One bucket of a latency histogram: the requests that took so long or less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    /// The longest time in this bucket, in microseconds.
    pub micros: u64,
    /// Requests in this bucket and all before it.
    pub requests: u64,
}

/// A latency above which a request counts as slow.
///
/// Frozen from the stable version before the comparison begins (its 99th percentile, say), it turns latency into a
/// share of slow requests, and two of those are compared by an [`ErrorTest`](super::ErrorTest). It must not be moved while
/// that goes on: a cut-off that follows what is measured is no longer chosen beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LatencyCutOff {
    micros: u64,
}

impl LatencyCutOff {
    /// A cut-off that somebody decided upon, in microseconds.
    pub const fn at(micros: u64) -> Self {
        Self { micros }
    }

    /// The end of the bucket in which the quantile lies (0.99: one request in a hundred is slower). Buckets rise by time.
    /// `None` if there are no requests, or the quantile is not strictly between 0 and 1.
    pub fn freeze(buckets: &[Bucket], quantile: f64) -> Option<Self> {
        if !(quantile > 0.0 && quantile < 1.0) {
            return None;
        }
        let all = buckets.last().filter(|last| last.requests > 0)?.requests;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a rounded count moves the cut-off by one request in 10^16"
        )]
        let reached = |bucket: &&Bucket| bucket.requests as f64 >= quantile * all as f64;
        buckets.iter().find(reached).map(|bucket| Self { micros: bucket.micros })
    }

    /// The cut-off, in microseconds.
    pub const fn micros(&self) -> u64 {
        self.micros
    }

    /// How many requests a histogram holds, and how many of them were slower than the cut-off. Buckets rise by time and
    /// have the same ends as those that the cut-off was frozen from, but any of them may be left out if it is empty.
    pub fn slow(&self, buckets: &[Bucket]) -> (u64, u64) {
        let all = buckets.last().map_or(0, |last| last.requests);
        let within = buckets.partition_point(|bucket| bucket.micros <= self.micros);
        let fast = within.checked_sub(1).map_or(0, |last| buckets[last].requests);
        (all, all.saturating_sub(fast))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(counts: &[(u64, u64)]) -> Vec<Bucket> {
        counts.iter().map(|(micros, requests)| Bucket { micros: *micros, requests: *requests }).collect()
    }

    #[test]
    fn the_cut_off_is_the_end_of_the_quantiles_bucket() {
        let stable = buckets(&[(10, 900), (20, 989), (40, 990), (80, 1_000)]);
        let cut_off = LatencyCutOff::freeze(&stable, 0.99).unwrap();
        assert_eq!(cut_off.micros(), 40);
        assert_eq!(cut_off.slow(&stable), (1_000, 10));
    }

    #[test]
    fn empty_buckets_may_be_left_out() {
        let cut_off = LatencyCutOff::at(40);
        assert_eq!(cut_off.slow(&buckets(&[(10, 5), (80, 7)])), (7, 2));
        assert_eq!(cut_off.slow(&buckets(&[(80, 7)])), (7, 7));
        assert_eq!(cut_off.slow(&[]), (0, 0));
    }

    #[test]
    fn nothing_measured_gives_no_cut_off() {
        assert_eq!(LatencyCutOff::freeze(&[], 0.99), None);
        assert_eq!(LatencyCutOff::freeze(&buckets(&[(10, 0)]), 0.99), None);
        for quantile in [0.0, 1.0, f64::NAN] {
            assert_eq!(LatencyCutOff::freeze(&buckets(&[(10, 9)]), quantile), None);
        }
    }
}
