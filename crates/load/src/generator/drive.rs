//! Sends requests as the plan says until told to stop, then waits for those in flight.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::pace::schedule;
use super::plan::{LoadPlan, Pacing};
use super::send::Sending;
use super::tally::Tally;

/// A load on its way.
#[derive(Debug)]
pub(super) struct Run {
    sending: Sending,
    numbers: Numbers,
}

/// The numbers of requests that are still to be sent.
#[derive(Debug)]
pub(super) struct Numbers {
    next: AtomicU64,
    end: u64,
    until: Option<Instant>,
    stop: watch::Receiver<bool>,
}

impl Run {
    pub(super) fn new(plan: LoadPlan, tally: Arc<Tally>, stop: watch::Receiver<bool>) -> Arc<Self> {
        let numbers = Numbers {
            next: AtomicU64::new(0),
            end: plan.requests.unwrap_or(u64::MAX),
            until: plan.duration.map(|duration| Instant::now() + duration),
            stop,
        };
        Arc::new(Self { sending: Sending::new(plan, tally), numbers })
    }

    /// Returns when the load has been stopped, or is over, and nothing is in flight.
    pub(super) async fn drive(self: Arc<Self>) -> io::Result<()> {
        match self.sending.plan.pacing {
            Pacing::Open { requests_per_second } => self.drive_open(requests_per_second).await,
            Pacing::Closed => self.drive_closed().await,
        }
    }

    async fn drive_open(self: Arc<Self>, rate: f64) -> io::Result<()> {
        let mut schedule = schedule(rate)?;
        let mut requests = JoinSet::new();
        let mut over = pin!(over(self.sending.plan.duration));
        let mut stop = self.numbers.stop.clone();
        for number in 0..self.numbers.end {
            let due = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = &mut over => break,
                due = schedule.recv() => due,
            };
            let Some(due) = due else { break };
            if self.sending.tally.in_flight() >= self.sending.plan.max_in_flight as u64 {
                self.sending.tally.not_sent();
            } else {
                let run = self.clone();
                self.sending.tally.sent();
                requests.spawn(async move { run.sending.request(number, number as usize, due).await });
            }
            while requests.try_join_next().is_some() {}
        }
        drop(schedule);
        while requests.join_next().await.is_some() {}
        Ok(())
    }

    async fn drive_closed(self: Arc<Self>) -> io::Result<()> {
        let mut users = JoinSet::new();
        for place in 0..self.sending.users() {
            let run = self.clone();
            users.spawn(async move { run.sending.one_after_the_other(place, &run.numbers).await });
        }
        while users.join_next().await.is_some() {}
        Ok(())
    }
}

impl Numbers {
    /// The number of the next request, unless the load is over.
    pub(super) fn next(&self) -> Option<u64> {
        if *self.stop.borrow() || self.until.is_some_and(|until| Instant::now() >= until) {
            return None;
        }
        Some(self.next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < self.end)
    }
}

async fn over(duration: Option<Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}
