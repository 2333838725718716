//! Sends requests as the plan says until told to stop, then waits for those in flight.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::connection::Pool;
use super::exchange::{Dropped, Numbered};
use super::pace::schedule;
use super::plan::{LoadPlan, Pacing};
use super::tally::Tally;

/// What all requests of one load share.
#[derive(Debug)]
pub(super) struct Run {
    plan: LoadPlan,
    pool: Arc<Pool>,
    body: Bytes,
    tally: Arc<Tally>,
}

impl Run {
    pub(super) fn new(plan: LoadPlan, tally: Arc<Tally>) -> Arc<Self> {
        let pool = Pool::new(plan.connections);
        let body = Bytes::from(vec![b'x'; plan.post_bytes]);
        Arc::new(Self { plan, pool, body, tally })
    }

    /// Returns when the load has been stopped, or is over, and nothing is in flight.
    pub(super) async fn drive(self: Arc<Self>, stop: watch::Receiver<bool>) -> io::Result<()> {
        match self.plan.pacing {
            Pacing::Open { requests_per_second } => self.drive_open(requests_per_second, stop).await,
            Pacing::Closed => self.drive_closed(stop).await,
        }
    }

    async fn drive_open(self: Arc<Self>, rate: f64, mut stop: watch::Receiver<bool>) -> io::Result<()> {
        let mut schedule = schedule(rate)?;
        let mut requests = JoinSet::new();
        let mut over = pin!(over(self.plan.duration));
        for number in 0..self.plan.requests.unwrap_or(u64::MAX) {
            let due = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                () = &mut over => break,
                due = schedule.recv() => due,
            };
            let Some(due) = due else { break };
            if self.tally.in_flight() >= self.plan.max_in_flight as u64 {
                self.tally.not_sent();
            } else {
                self.tally.sent();
                requests.spawn(self.clone().request(number, due));
            }
            while requests.try_join_next().is_some() {}
        }
        drop(schedule);
        while requests.join_next().await.is_some() {}
        Ok(())
    }

    async fn drive_closed(self: Arc<Self>, stop: watch::Receiver<bool>) -> io::Result<()> {
        let until = self.plan.duration.map(|duration| Instant::now() + duration);
        let mut connections = JoinSet::new();
        for first in 0..self.plan.connections as u64 {
            let (run, stop) = (self.clone(), stop.clone());
            connections.spawn(async move {
                // Each connection takes every so-manieth number, so that no two requests have the same.
                let numbers = (first..run.plan.requests.unwrap_or(u64::MAX)).step_by(run.plan.connections);
                for number in numbers {
                    if *stop.borrow() || until.is_some_and(|until| Instant::now() >= until) {
                        break;
                    }
                    run.tally.sent();
                    run.clone().request(number, Instant::now()).await;
                }
            });
        }
        while connections.join_next().await.is_some() {}
        Ok(())
    }

    async fn request(self: Arc<Self>, number: u64, due: Instant) {
        let request = Numbered::new(&self.plan, number);
        let end = timeout(self.plan.timeout, request.exchange(&self.pool, &self.body)).await;
        let end = end.unwrap_or_else(|_elapsed| Err(Dropped::timeout(self.plan.timeout)));
        self.tally.finished(due, &request.method, end);
    }
}

async fn over(duration: Option<std::time::Duration>) {
    match duration {
        Some(duration) => tokio::time::sleep(duration).await,
        None => std::future::pending().await,
    }
}
