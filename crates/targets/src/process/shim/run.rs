//! One run of the service: from its start to its end.

use std::time::Duration;

use pilotage_proxy::Address;
use rustix::process::WaitStatus;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval, sleep_until, timeout};

use super::end;
use super::launch::{LaunchFailure, Launched, launch};
use super::stop::end_everything;
use super::succession::Change;
use super::supervisor::{Supervisor, stop_wanted};
use super::usage::UsageMeter;
use crate::InstanceState;
use crate::probe::{self, Asked, Finding};
use crate::process::identity::ProcessIdentity;
use crate::process::tree::descendants;

/// So many failed liveness probes in a row, and the service is started again.
const LIVE_LIMIT: u32 = 3;
const USAGE_INTERVAL: Duration = Duration::from_secs(1);
/// What a service that ended leaves behind has this long to end too.
const LEFTOVER_GRACE: Duration = Duration::from_secs(1);
/// How long the last lines of a service that ended are waited for.
const LAST_LINES: Duration = Duration::from_millis(500);
/// A first process that ends well within this time and leaves others behind has put itself into the background.
const BACKGROUND_WITHIN: Duration = Duration::from_secs(5);

/// How a run ended.
pub enum RunEnd {
    /// On request.
    Stopped,
    /// By itself, or because it did not work.
    Ended {
        /// Why, in words that follow the instance's name.
        reason: String,
        /// How long it ran.
        uptime: Duration,
    },
    /// It makes no sense to start it again.
    Hopeless {
        /// Why, and what to do.
        reason: String,
    },
}

/// What happened last in a run.
enum Happened {
    StopWanted,
    /// `None`: somebody else was told how.
    Exited(Option<WaitStatus>),
    NotReadyInTime(String),
    NotAlive(String),
}

impl Supervisor {
    /// Starts the service and stays with it until it has ended, with everything it started.
    pub(super) async fn run_once(&mut self) -> RunEnd {
        let place = match self.seat.place(&self.spec) {
            Ok(place) => place,
            Err(reason) => return RunEnd::Hopeless { reason },
        };
        self.log.forget_tail();
        let launched = match launch(&self.spec, &place) {
            Ok(launched) => launched,
            Err(LaunchFailure::Hopeless(reason)) => return RunEnd::Hopeless { reason },
            Err(LaunchFailure::Passing(reason)) => return RunEnd::Ended { reason, uptime: Duration::ZERO },
        };
        let (begin, address) = (Instant::now(), place.address());
        let pid = launched.pid;
        self.reaper.expect(pid);
        self.succession.begin();
        let readers = self.follow_log(launched);
        self.note_start(pid, address.as_ref());
        let happened = self.attend(address, begin).await;
        let uptime = begin.elapsed();
        let left_behind = matches!(happened, Happened::Exited(_))
            && !self.spec.hands_over
            && !descendants(std::process::id()).is_empty();
        self.end_run(&happened).await;
        for reader in readers {
            // What is still in the pipe belongs to the reason; a pipe held open by nobody we know must not hold us.
            let _ = timeout(LAST_LINES, reader).await;
        }
        self.conclude(happened, left_behind, uptime)
    }

    fn follow_log(&self, launched: Launched) -> [JoinHandle<()>; 2] {
        let Launched { stdout, stderr, .. } = launched;
        [
            tokio::spawn(self.log.clone().follow(stdout, false)),
            tokio::spawn(self.log.clone().follow(stderr, true)),
        ]
    }

    fn note_start(&mut self, pid: u32, address: Option<&Address>) {
        // One that has ended already can still be looked at: it is ours to reap.
        let Ok(process) = ProcessIdentity::of(pid) else { return };
        self.board.started(process, address);
        self.note_status();
    }

    /// From now on, another process is the service.
    fn hand_on(&mut self, process: ProcessIdentity) {
        self.reaper.expect(process.pid);
        self.succession.follow(process.clone());
        self.board.succeeded(process);
        self.note_status();
    }

    fn note_status(&self) {
        // Without this note an orphan of a killed shim is not found again. The service is worth more than the note.
        if let Err(error) = self.records.write(&self.board.status()) {
            eprintln!("pilotage shim: cannot note its status: {error}");
        }
    }

    /// Watches over the running service until something happens that ends the run.
    async fn attend(&mut self, address: Option<Address>, begin: Instant) -> Happened {
        let start_deadline = begin + self.spec.start_timeout;
        let (sender, mut findings) = mpsc::channel(4);
        let probes = self.spec.health.clone().zip(address).map(|(health, address)| {
            let asked = Asked { address, protocol: self.spec.protocol };
            AbortOnDrop(tokio::spawn(probe::watch(asked, health, sender)))
        });
        let mut ready = probes.is_none();
        if ready {
            self.becomes_ready();
        }
        let mut not_ready = "it was not probed".to_owned();
        let mut meter = UsageMeter::new(std::process::id());
        let mut readings = interval(USAGE_INTERVAL);
        let mut streaks = Streaks::default();
        loop {
            tokio::select! {
                biased;
                change = self.succession.changed() => match change {
                    Change::Successor(process) => self.hand_on(process),
                    Change::Ended => {
                        self.reaper.reap();
                        return Happened::Exited(self.reaper.ended());
                    }
                },
                () = self.reaper.changed() => {
                    if let Some(status) = self.reaper.ended() {
                        match self.succession.told() {
                            Some(process) => self.hand_on(process),
                            None => return Happened::Exited(Some(status)),
                        }
                    }
                }
                () = stop_wanted(&mut self.stop) => return Happened::StopWanted,
                Some(finding) = findings.recv() => {
                    if let Finding::Ready(Err((failure, _))) = &finding {
                        not_ready.clone_from(&failure.reason);
                    }
                    ready |= matches!(finding, Finding::Ready(Ok(())));
                    if let Some(reason) = self.judge(finding, ready, &mut streaks) {
                        return Happened::NotAlive(reason);
                    }
                }
                () = sleep_until(start_deadline), if !ready => return Happened::NotReadyInTime(not_ready),
                _ = readings.tick() => self.board.usage(meter.read()),
            }
        }
    }

    /// Takes a probe's finding in; says why the service has to be started again, if so.
    fn judge(&mut self, finding: Finding, ready_before: bool, streaks: &mut Streaks) -> Option<String> {
        if !ready_before {
            return None;
        }
        let mut verdict = None;
        match finding {
            Finding::Ready(Ok(())) => {
                streaks.ready = 0;
                self.becomes_ready();
            }
            Finding::Ready(Err((failure, streak))) => {
                streaks.ready = streak;
                if Finding::takes_out(&failure, streak) {
                    self.board.state(InstanceState::Unready);
                }
            }
            Finding::Live(Ok(())) => streaks.live = 0,
            Finding::Live(Err((failure, streak))) => {
                streaks.live = streak;
                verdict = (streak >= LIVE_LIMIT).then(|| {
                    format!("failed its liveness probe {streak} times in a row: {}", failure.reason)
                });
            }
        }
        self.board.probe_failures(streaks.ready.max(streaks.live));
        verdict
    }

    fn becomes_ready(&mut self) {
        self.was_ready = true;
        if self.board.status().state != InstanceState::Ready {
            self.board.state(InstanceState::Ready);
            self.note_status();
        }
    }

    /// Ends what is left of the run. Traffic is kept away from the first moment on.
    async fn end_run(&mut self, happened: &Happened) {
        let grace = match happened {
            Happened::StopWanted => {
                self.board.state(InstanceState::Stopping);
                // The request's own deadline counts.
                Duration::from_secs(u64::from(u32::MAX))
            }
            Happened::Exited(status) => {
                self.board.state(InstanceState::Waiting { reason: end::in_words(*status) });
                if self.spec.hands_over {
                    // Those that it has replaced still finish what they have.
                    self.reaper.reap();
                    return;
                }
                LEFTOVER_GRACE
            }
            Happened::NotAlive(_) => {
                self.board.state(InstanceState::Unready);
                self.spec.stop_grace
            }
            Happened::NotReadyInTime(_) => self.spec.stop_grace,
        };
        end_everything(&mut self.reaper, Instant::now() + grace, &self.stop).await;
    }

    fn conclude(&mut self, happened: Happened, left_behind: bool, uptime: Duration) -> RunEnd {
        let tail = self.log.tail();
        match happened {
            Happened::StopWanted => {
                self.board.ended("was stopped");
                RunEnd::Stopped
            }
            Happened::Exited(status) => {
                let how = end::in_words(status);
                self.board.ended(&how);
                if left_behind
                    && status.and_then(|status| status.exit_status()) == Some(0)
                    && uptime < BACKGROUND_WITHIN
                {
                    let reason = "forked into the background, where it cannot be watched; tell it to stay in the \
                                  foreground (for example `daemon off;` or `--foreground`)";
                    return RunEnd::Hopeless { reason: end::with_tail(reason, &tail) };
                }
                let reason = format!("{how} after {}", in_units(uptime));
                RunEnd::Ended { reason: end::with_tail(&reason, &tail), uptime }
            }
            Happened::NotReadyInTime(why) => {
                let reason = format!("was not ready within {}: {why}", in_units(self.spec.start_timeout));
                self.board.ended(&reason);
                let reason = end::with_tail(&reason, &tail);
                // One that was ready before may only wait for something it needs, so it is given another try.
                if self.was_ready { RunEnd::Ended { reason, uptime } } else { RunEnd::Hopeless { reason } }
            }
            Happened::NotAlive(reason) => {
                self.board.ended(&reason);
                RunEnd::Ended { reason: end::with_tail(&reason, &tail), uptime }
            }
        }
    }
}

#[derive(Debug, Default)]
struct Streaks {
    ready: u32,
    live: u32,
}

/// Ends a task together with its owner.
struct AbortOnDrop(JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// `340 ms`, `30 s`, `1.5 s`.
fn in_units(duration: Duration) -> String {
    if duration < Duration::from_secs(1) {
        format!("{} ms", duration.as_millis())
    } else if duration.subsec_millis() == 0 || duration > Duration::from_secs(100) {
        format!("{} s", duration.as_secs())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}
