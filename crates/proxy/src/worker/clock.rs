//! The time of day for counters.

use std::cell::Cell;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Microseconds since the epoch from an `Instant`, at the price of a subtraction.
pub(super) struct Clock {
    origin: Cell<(Instant, i64)>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { origin: Cell::new(Self::now()) }
    }

    fn now() -> (Instant, i64) {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        (Instant::now(), i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    /// Follows the wall clock when that is corrected.
    pub(super) fn set(&self) {
        self.origin.set(Self::now());
    }

    pub(super) fn micros(&self, at: Instant) -> i64 {
        let (origin, micros) = self.origin.get();
        let since = i64::try_from(at.saturating_duration_since(origin).as_micros()).unwrap_or(i64::MAX);
        micros.saturating_add(since)
    }
}
