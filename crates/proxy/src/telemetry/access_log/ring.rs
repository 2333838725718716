//! The way of an entry from a worker to the thread that writes it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::AccessEntry;
use crate::routing::AccessLogCounters;

/// Entries that may wait in one worker's ring. The writer comes by every few milliseconds.
pub(super) const CAPACITY: usize = 8_192;

/// One worker's end of the access log.
#[derive(Debug)]
pub(crate) struct AccessLog {
    /// None when nobody wants a log.
    ring: Option<SyncSender<AccessEntry>>,
    counters: Arc<AccessLogCounters>,
}

impl AccessLog {
    /// A log that nobody wants.
    pub(crate) fn off() -> Self {
        Self { ring: None, counters: Arc::default() }
    }

    /// A log, and the end that its entries come out of.
    pub(super) fn with_capacity(
        entries: usize,
        counters: Arc<AccessLogCounters>,
    ) -> (Self, Receiver<AccessEntry>) {
        let (sender, receiver) = sync_channel(entries);
        (Self { ring: Some(sender), counters }, receiver)
    }

    /// Whether entries are wanted; if not, there is no need to make one.
    pub(crate) fn enabled(&self) -> bool {
        self.ring.is_some()
    }

    /// Notes a request that has come to its end, or drops and counts it if there is no room. Never waits: the writer looks
    /// into the ring at times and is not woken, so that this makes no system call either.
    pub(crate) fn record(&self, entry: AccessEntry) {
        if let Some(ring) = &self.ring
            && ring.try_send(entry).is_err()
        {
            self.counters.add_dropped(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::example;
    use super::*;

    #[test]
    fn a_full_ring_drops_lines_and_counts_them() {
        let counters = Arc::new(AccessLogCounters::default());
        let (log, entries) = AccessLog::with_capacity(2, Arc::clone(&counters));
        for number in 0..5 {
            log.record(AccessEntry { retries: number, ..example() });
        }
        assert_eq!(counters.read().dropped, 3);
        assert_eq!(entries.try_iter().map(|entry| entry.retries).collect::<Vec<_>>(), [0, 1]);
        log.record(example());
        assert_eq!((counters.read().dropped, entries.try_iter().count()), (3, 1), "there is room again");
    }

    #[test]
    fn a_log_that_is_off_takes_nothing() {
        let log = AccessLog::off();
        assert!(!log.enabled());
        log.record(example());
    }
}
