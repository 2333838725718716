//! What became of lines of the access log.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::AccessLogStats;

/// Written and dropped lines. Unlike the other counters these have several writing threads, none of them on the way of a
/// request that is logged.
#[derive(Debug, Default)]
pub(crate) struct AccessLogCounters {
    written: AtomicU64,
    dropped: AtomicU64,
}

impl AccessLogCounters {
    pub(crate) fn add_written(&self, lines: u64) {
        self.written.fetch_add(lines, Ordering::Relaxed);
    }

    pub(crate) fn add_dropped(&self, lines: u64) {
        self.dropped.fetch_add(lines, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> AccessLogStats {
        AccessLogStats {
            written: self.written.load(Ordering::Relaxed),
            dropped: self.dropped.load(Ordering::Relaxed),
        }
    }
}
