//! Keeps a service running until somebody wants it stopped.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::backoff::Backoff;
use super::board::Board;
use super::log::Log;
use super::place::Seat;
use super::reaper::Reaper;
use super::records::Records;
use super::run::RunEnd;
use super::server::StopDeadline;
use super::spec::ShimSpec;
use super::succession::Succession;
use crate::InstanceState;

/// A service that ends so often before it was ever ready is given up.
const EARLY_ENDS_LIMIT: u32 = 5;

/// Everything one instance needs to be held.
pub struct Supervisor {
    pub(super) spec: ShimSpec,
    pub(super) board: Board,
    pub(super) log: Log,
    pub(super) records: Records,
    pub(super) reaper: Reaper,
    pub(super) stop: watch::Receiver<StopDeadline>,
    pub(super) seat: Seat,
    pub(super) succession: Succession,
    /// Whether it was ready at least once, in this run or one before.
    pub(super) was_ready: bool,
}

impl Supervisor {
    /// Runs the service, again and again, until it is stopped on request.
    pub async fn run(&mut self) {
        let mut backoff = Backoff::default();
        let mut early_ends = 0;
        loop {
            let (reason, uptime) = match self.run_once().await {
                RunEnd::Stopped => return,
                RunEnd::Hopeless { reason } => return self.give_up(reason).await,
                RunEnd::Ended { reason, uptime } => (reason, uptime),
            };
            if !self.was_ready {
                early_ends += 1;
                if early_ends == EARLY_ENDS_LIMIT {
                    let reason =
                        format!("ended {early_ends} times before it was ready; the last time it {reason}");
                    return self.give_up(reason).await;
                }
            }
            self.board.state(InstanceState::Waiting { reason });
            if self.pause(backoff.next(uptime, random())).await {
                return;
            }
            self.board.restarting();
        }
    }

    /// Stays, so that the reason can be asked for, until it is stopped.
    async fn give_up(&mut self, reason: String) {
        self.seat = Seat::default();
        self.board.state(InstanceState::Failed { reason });
        stop_wanted(&mut self.stop).await;
        self.board.state(InstanceState::Stopping);
    }

    /// Waits; says whether it is to stop instead of going on.
    async fn pause(&mut self, pause: Duration) -> bool {
        let wanted = timeout(pause, stop_wanted(&mut self.stop)).await.is_ok();
        if wanted {
            self.board.state(InstanceState::Stopping);
        }
        wanted
    }
}

/// Waits until somebody wants the service stopped.
pub(super) async fn stop_wanted(stop: &mut watch::Receiver<StopDeadline>) {
    if stop.wait_for(Option::is_some).await.is_err() {
        // The senders live as long as the shim does.
        std::future::pending::<()>().await;
    }
}

fn random() -> u8 {
    let mut byte = [0];
    match rustix::rand::getrandom(&mut byte, rustix::rand::GetRandomFlags::empty()) {
        Ok(_) => byte[0],
        Err(_) => 0,
    }
}
