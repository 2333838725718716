//! A schedule of constant rate.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

/// More often than this the schedule is not looked at; requests due in between are sent together.
const SHORTEST_TICK: Duration = Duration::from_micros(200);

/// Starts a schedule now: yields the times at which requests are to be sent, each when it has come, until the receiver
/// is dropped. `requests_per_second` is above 0 and finite.
///
/// A thread of its own sleeps between them because the runtime's timer wakes on whole milliseconds only, which would
/// add up to one to every latency.
pub(super) fn schedule(requests_per_second: f64) -> io::Result<mpsc::UnboundedReceiver<Instant>> {
    let (due, schedule) = mpsc::unbounded_channel();
    let start = Instant::now();
    let at = move |number: u64| start + Duration::from_secs_f64(number as f64 / requests_per_second);
    thread::Builder::new().name("pace".to_owned()).spawn(move || {
        for number in 1.. {
            let wait = at(number).saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                thread::sleep(wait.max(SHORTEST_TICK));
            }
            if due.send(at(number)).is_err() {
                return;
            }
        }
    })?;
    Ok(schedule)
}
