//! How many deliveries of alerts are taken in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use pilotage_spec::HookName;

/// So many deliveries may come at once.
const BURST: f64 = 60.0;

/// So many come back in a second.
const REFILL_PER_SECOND: f64 = 2.0;

/// A bucket of tokens for each hook, and a count of deliveries that were not believed.
#[derive(Default)]
pub(crate) struct Deliveries {
    buckets: Mutex<HashMap<HookName, Bucket>>,
    refused: AtomicU64,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Deliveries {
    /// Takes a token of a hook of the file, if one is left. Only for deliveries that have been proved: others must not keep
    /// them out.
    pub(crate) fn admits(&self, hook: &HookName, now: Instant) -> bool {
        // What a panicking holder leaves behind is whole: a bucket changes by single assignments.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(hook.clone()).or_insert(Bucket { tokens: BURST, filled: now });
        let passed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * REFILL_PER_SECOND).min(BURST);
        bucket.filled = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        admitted
    }

    /// Counts a delivery that was not believed, and says how many there were.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.fetch_add(1, Ordering::Relaxed) + 1
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_taken_in_and_then_so_many_in_a_second() {
        let (deliveries, hook, other) =
            (Deliveries::default(), "alerts".parse().unwrap(), "others".parse().unwrap());
        let begun = Instant::now();
        let admitted = (0..100).filter(|_| deliveries.admits(&hook, begun)).count();
        assert_eq!(admitted, 60);
        let later = begun + Duration::from_secs(3);
        assert_eq!((0..100).filter(|_| deliveries.admits(&hook, later)).count(), 6);
        assert!(deliveries.admits(&other, later), "each hook has its own");
        assert_eq!((deliveries.refused(), deliveries.refused()), (1, 2));
    }
}
