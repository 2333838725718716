//! What a single thread writes and any thread reads.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::stats::{BUCKETS, Histogram, bucket_of};

/// A counter with one writing thread.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: u64) {
        self.0.store(self.get().wrapping_add(amount), Ordering::Relaxed);
    }

    pub(crate) fn subtract(&self, amount: u64) {
        self.0.store(self.get().saturating_sub(amount), Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Latencies that one thread has measured.
#[derive(Debug, Default)]
pub(super) struct Latencies {
    sum_micros: Counter,
    /// Allocated with the first record: most versions of a long-lived edge take no traffic on most threads.
    buckets: OnceLock<Box<[Counter]>>,
}

impl Latencies {
    pub(super) fn record(&self, micros: u64) {
        self.sum_micros.add(micros);
        let buckets = self.buckets.get_or_init(|| (0..BUCKETS).map(|_| Counter::default()).collect());
        if let Some(bucket) = buckets.get(bucket_of(micros)) {
            bucket.add(1);
        }
    }

    pub(super) fn sum_micros(&self) -> u64 {
        self.sum_micros.get()
    }

    pub(super) fn histogram(&self) -> Histogram {
        let buckets = self.buckets.get().into_iter().flat_map(|buckets| buckets.iter().enumerate());
        Histogram::from_counts(buckets.map(|(bucket, counter)| (bucket, counter.get())))
    }
}
