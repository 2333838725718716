//! Work for which a caller waits only so long.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use thiserror::Error;

/// The stack of a worker, in bytes: several times of what the deepest expression needs that gets past the limits.
const STACK_BYTES: usize = 16 << 20;

/// So many workers that nobody waits for any more are endured; then nothing further is begun.
const ABANDONED_LIMIT: usize = 4;

static ABANDONED: AtomicUsize = AtomicUsize::new(0);

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BoundedError {
    /// The time is over.
    #[error("it took longer than {} ms", .0.as_millis())]
    TooLong(Duration),
    /// The work ended by a panic.
    #[error("the interpreter failed")]
    Panicked,
    /// Earlier work has not come to its end, and more is not begun.
    #[error("earlier conditions that took too long are still running")]
    Overrun,
    /// No thread can be started.
    #[error("no thread can be started: {0}")]
    NoThread(String),
}

/// Does some work on a thread of its own.
///
/// The caller is back after `limit` whatever the work does. A thread cannot be ended from outside, so one that overruns is
/// left to itself, and counted until it ends; at most [`ABANDONED_LIMIT`] of them can be there at a time.
///
/// # Errors
/// See [`BoundedError`].
pub fn run<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BoundedError> {
    if ABANDONED.load(Ordering::Acquire) >= ABANDONED_LIMIT {
        return Err(BoundedError::Overrun);
    }
    let (sender, receiver) = channel();
    let worker = thread::Builder::new().name("condition".to_owned()).stack_size(STACK_BYTES);
    let handle = worker
        .spawn(move || {
            // Nobody receives it if the time was over before.
            let _ = sender.send(work());
        })
        .map_err(|error| BoundedError::NoThread(error.to_string()))?;
    match receiver.recv_timeout(limit) {
        Ok(result) => Ok(result),
        // The sender is dropped without a word when the work panics.
        Err(RecvTimeoutError::Disconnected) => Err(BoundedError::Panicked),
        Err(RecvTimeoutError::Timeout) => {
            abandon(handle);
            Err(BoundedError::TooLong(limit))
        }
    }
}

/// Counts a worker until it ends. Where even the thread that waits for it cannot be started, it stays counted.
fn abandon(worker: thread::JoinHandle<()>) {
    ABANDONED.fetch_add(1, Ordering::AcqRel);
    let _ = thread::Builder::new().name("condition-end".to_owned()).stack_size(64 << 10).spawn(move || {
        let _ = worker.join();
        ABANDONED.fetch_sub(1, Ordering::AcqRel);
    });
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_result_is_handed_over_and_a_panic_is_an_error() {
        assert_eq!(run(LONG, || 7), Ok(7));
        assert_eq!(run::<()>(LONG, || panic!("as asked")), Err(BoundedError::Panicked));
    }

    #[test]
    fn nobody_waits_for_work_that_does_not_end_and_only_so_much_of_it_is_endured() {
        let limit = Duration::from_millis(1);
        let (ends, blocked): (Vec<_>, Vec<_>) = (0..ABANDONED_LIMIT).map(|_| mpsc::channel::<()>()).unzip();
        for block in blocked {
            // Ends with an error when the sender goes.
            let result = run(limit, move || block.recv().is_ok());
            assert_eq!(result, Err(BoundedError::TooLong(limit)));
        }
        assert_eq!(run(LONG, || 7), Err(BoundedError::Overrun));
        drop(ends);
        while run(LONG, || 7).is_err() {
            thread::yield_now();
        }
    }
}
