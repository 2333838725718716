//! A flood of log lines.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Writes lines to standard output from a thread of its own, so that a full pipe does not hold up answers.
pub(super) struct Flood(Arc<AtomicBool>);

impl Flood {
    const TICKS_PER_SECOND: u64 = 50;

    pub(super) fn start(lines_per_second: u64) -> Self {
        let over = Arc::new(AtomicBool::new(lines_per_second == 0));
        let seen = over.clone();
        if lines_per_second > 0 {
            std::thread::spawn(move || Self::write(lines_per_second, &seen));
        }
        Self(over)
    }

    fn write(lines_per_second: u64, over: &AtomicBool) {
        let lines_per_tick = lines_per_second.div_ceil(Self::TICKS_PER_SECOND);
        let mut number = 0_u64;
        while !over.load(Ordering::Relaxed) {
            let mut output = std::io::stdout().lock();
            for _ in 0..lines_per_tick {
                number += 1;
                if writeln!(output, "line {number} of a flood that nobody reads to its end").is_err() {
                    return;
                }
            }
            drop(output);
            std::thread::sleep(Duration::from_millis(1_000 / Self::TICKS_PER_SECOND));
        }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
