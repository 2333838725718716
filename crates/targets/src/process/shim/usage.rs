//! Processor time and memory of a service with everything below it.

use std::time::{Duration, Instant};

use crate::process::tree::family;

/// One reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Processor use since the reading before, in thousandths of a core; `None` at the first.
    pub cpu_millis: Option<u32>,
    /// Resident memory, in bytes.
    pub memory_bytes: u64,
}

/// Reads the usage of all processes below one.
#[derive(Debug)]
pub struct UsageMeter {
    root: u32,
    before: Option<(Instant, u64)>,
}

impl UsageMeter {
    /// A meter for everything below the process `root`.
    pub fn new(root: u32) -> Self {
        Self { root, before: None }
    }

    /// Takes a reading.
    pub fn read(&mut self) -> Usage {
        let processes = family(self.root);
        let ticks: u64 = processes.iter().map(|stat| stat.cpu_ticks).sum();
        let pages: u64 = processes.iter().map(|stat| stat.resident_pages).sum();
        let now = Instant::now();
        let before = self.before.replace((now, ticks));
        Usage {
            // A process that ends takes its ticks along, so the sum may fall.
            cpu_millis: before.and_then(|(then, old)| share(ticks.saturating_sub(old), now - then)),
            memory_bytes: pages.saturating_mul(rustix::param::page_size() as u64),
        }
    }
}

fn share(ticks: u64, elapsed: Duration) -> Option<u32> {
    let cpu_ms = u128::from(ticks) * 1_000 / u128::from(rustix::param::clock_ticks_per_second().max(1));
    (cpu_ms * 1_000).checked_div(elapsed.as_millis())?.try_into().ok()
}
