//! Rollouts on every core, with a count of those done.

use std::io::{IsTerminal, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use pilotage_engine::rehearse::{Rehearsal, Rollout};

use crate::arguments::Simulate;
use crate::failure::Failure;
use crate::printer::Printer;

/// How often the count is shown.
const SHOWN_EVERY: Duration = Duration::from_millis(200);

/// All rollouts, in the order of their numbers.
pub struct Played {
    pub with_fault: Vec<Rollout>,
    pub without_fault: Vec<Rollout>,
}

impl Played {
    /// Plays as many as asked for; without a fault the two are the same. Which thread plays which one changes nothing.
    pub fn play(rehearsal: &Rehearsal, asked: &Simulate, printer: &Printer) -> Result<Self, Failure> {
        let rounds = if rehearsal.has_fault() { 2 } else { 1 };
        let counter = Counter { done: AtomicU64::new(0), all: asked.runs * rounds, shown: shows(printer) };
        let without_fault = many(&rehearsal.without_fault(), asked, &counter)?;
        let with_fault = if rounds == 2 { many(rehearsal, asked, &counter)? } else { without_fault.clone() };
        counter.clear();
        Ok(Self { with_fault, without_fault })
    }
}

fn many(rehearsal: &Rehearsal, asked: &Simulate, counter: &Counter) -> Result<Vec<Rollout>, Failure> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get) as u64;
    let part = asked.runs.div_ceil(threads);
    thread::scope(|scope| {
        let play = |first: u64| {
            let numbers = first..(first + part).min(asked.runs);
            scope.spawn(move || {
                let played = numbers.map(|number| {
                    let rollout = rehearsal.play(asked.seed, number);
                    counter.done.fetch_add(1, Ordering::Relaxed);
                    rollout
                });
                played.collect::<Vec<Rollout>>()
            })
        };
        let playing: Vec<ScopedJoinHandle<'_, Vec<Rollout>>> =
            (0..threads).map(|thread| thread * part).filter(|first| *first < asked.runs).map(play).collect();
        while counter.shown && !playing.iter().all(ScopedJoinHandle::is_finished) {
            counter.show();
            thread::sleep(SHOWN_EVERY);
        }
        let mut all = Vec::new();
        for thread in playing {
            all.extend(
                thread.join().map_err(|_| Failure::failed("a rollout could not be played to its end"))?,
            );
        }
        Ok(all)
    })
}

/// How many are done, for a person who waits.
struct Counter {
    done: AtomicU64,
    all: u64,
    shown: bool,
}

impl Counter {
    fn show(&self) {
        // A count that cannot be shown is none that anybody misses.
        let _ = write!(
            std::io::stderr().lock(),
            "\r{} of {} rollouts",
            self.done.load(Ordering::Relaxed),
            self.all
        );
    }

    fn clear(&self) {
        if self.shown {
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}

fn shows(printer: &Printer) -> bool {
    printer.narrates() && std::io::stderr().is_terminal()
}
