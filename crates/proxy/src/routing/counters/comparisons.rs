//! What came of comparing the answers to copies with those that users got.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::stats::{MirrorDifference, MirrorStats};

/// Comparisons for one version. Any thread may count here: copies are few, and nobody waits for them.
#[derive(Debug, Default)]
pub(crate) struct Comparisons {
    equal: AtomicU64,
    differing_status: AtomicU64,
    differing_body: AtomicU64,
    uncompared: AtomicU64,
    examples: Mutex<Vec<MirrorDifference>>,
}

impl Comparisons {
    /// Two answers were the same.
    pub(crate) fn equal(&self) {
        self.equal.fetch_add(1, Ordering::Relaxed);
    }

    /// Two answers were not the same.
    pub(crate) fn differ(&self, difference: MirrorDifference) {
        let has_other_status = difference.own_status != difference.copy_status;
        let counter = if has_other_status { &self.differing_status } else { &self.differing_body };
        counter.fetch_add(1, Ordering::Relaxed);
        difference.keep_in(&mut self.examples.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Two answers were to be compared and could not be.
    pub(crate) fn uncompared(&self) {
        self.uncompared.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> MirrorStats {
        let [equal, differing_status, differing_body, uncompared] =
            [&self.equal, &self.differing_status, &self.differing_body, &self.uncompared]
                .map(|counter| counter.load(Ordering::Relaxed));
        MirrorStats {
            compared: equal + differing_status + differing_body,
            differing_status,
            differing_body,
            uncompared,
            examples: self.examples.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            ..MirrorStats::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_difference_is_counted_as_one_thing() {
        let comparisons = Comparisons::default();
        let difference = |copy_status, pointer: Option<&str>| MirrorDifference {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            own_status: 200,
            copy_status,
            pointer: pointer.map(str::to_owned),
        };
        comparisons.equal();
        comparisons.differ(difference(500, None));
        comparisons.differ(difference(200, Some("/id")));
        comparisons.differ(difference(200, Some("/id")));
        comparisons.uncompared();
        let stats = comparisons.read();
        assert_eq!((stats.compared, stats.differing_status, stats.differing_body), (4, 1, 2));
        assert_eq!((stats.uncompared, stats.examples.len()), (1, 2));
    }
}
