//! Reading bodies of JSON to compare them, on a thread of its own, so that no request waits for it.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};

use crate::comparison::{Comparison, difference};
use crate::routing::VersionCounters;
use crate::stats::{MirrorDifference, shown};

/// Pairs of bodies that may wait to be compared; further ones are not.
const MOST_WAITING: usize = 64;

/// Two bodies to be compared.
pub(super) struct Pair {
    pub(super) own: Vec<u8>,
    pub(super) copy: Vec<u8>,
    pub(super) comparison: Arc<Comparison>,
    /// Where it is counted.
    pub(super) counters: Arc<VersionCounters>,
    /// What is said of them if they differ, but for the place.
    pub(super) request: MirrorDifference,
}

/// The way to the thread, which starts with the first pair and ends with this value.
#[derive(Debug, Default)]
pub(crate) struct Comparer(OnceLock<Option<SyncSender<Pair>>>);

impl Comparer {
    /// Has two bodies compared, and what comes of it counted.
    pub(super) fn compare(&self, pair: Pair) {
        let counters = Arc::clone(&pair.counters);
        let sender = self.0.get_or_init(start);
        if sender.as_ref().is_none_or(|sender| sender.try_send(pair).is_err()) {
            counters.comparisons().uncompared();
        }
    }
}

fn start() -> Option<SyncSender<Pair>> {
    let (sender, pairs) = sync_channel(MOST_WAITING);
    let thread = std::thread::Builder::new().name("edge-comparer".to_owned());
    match thread.spawn(move || run(&pairs)) {
        Ok(_) => Some(sender),
        Err(error) => {
            tracing::warn!(%error, "bodies of answers to copies are not compared: no thread could be started for it");
            None
        }
    }
}

fn run(pairs: &Receiver<Pair>) {
    while let Ok(Pair { own, copy, comparison, counters, request }) = pairs.recv() {
        match difference(&own, &copy, &comparison.ignored) {
            None => counters.comparisons().equal(),
            Some(found) => {
                let pointer = found.pointer.map(|pointer| shown(pointer.as_bytes()));
                counters.comparisons().differ(MirrorDifference { pointer, ..request });
            }
        }
    }
}
