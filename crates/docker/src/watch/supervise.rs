//! Stays with one container: probes it, has it started again when it does not work, and gives it up when that makes no sense.
//! The same rules as for processes; what the engine does by itself (starting again what has ended) is left to it.

use std::sync::Arc;
use std::time::Duration;

use pilotage_targets::probe::{self, Asked, Finding};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::held::Held;
use super::readings;
use super::tail::tail;
use crate::instance::state::{how_it_ended, in_units, with_tail};
use crate::instance::{Container, Phase, Readiness, Seen};
use crate::shared::Shared;

/// One that ends so often before it was ever ready is given up.
const EARLY_ENDS_LIMIT: u32 = 5;
/// So many failed liveness probes in a row, and it is started again.
const LIVE_LIMIT: u32 = 3;
/// Pauses before one is started that the engine does not start.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

type News = watch::Receiver<Option<Container>>;

/// Stays with it until it is gone.
pub(super) async fn supervise(shared: Arc<Shared>, held: Arc<Held>) {
    let mut news = held.subscribe();
    let mut starts = 0;
    loop {
        let Some(container) = news.borrow_and_update().clone() else { return };
        let is_over = container.is_retired() || held.seen().given_up.is_some();
        match container.phase {
            Phase::Running if !is_over => {
                if has_failed_to_start(&held, &container) {
                    shared.give_up_after_ends(&held, &container).await;
                    continue;
                }
                if attend(&shared, &held, &container, &mut news).await {
                    starts = 0;
                }
                continue;
            }
            Phase::Restarting if !is_over => {
                shared.note_end(&held, &container).await;
                if has_failed_to_start(&held, &container) {
                    shared.give_up_after_ends(&held, &container).await;
                }
            }
            Phase::Exited if !is_over => {
                shared.note_end(&held, &container).await;
                if container.is_kept_up {
                    // Somebody has stopped it by hand, or the engine has lost it.
                    sleep(pause(starts)).await;
                    starts += 1;
                    shared.start_again(&held).await;
                    continue;
                }
            }
            _ => {}
        }
        if news.changed().await.is_err() {
            return;
        }
    }
}

fn has_failed_to_start(held: &Held, container: &Container) -> bool {
    !held.seen().was_ready && container.engine_restarts >= EARLY_ENDS_LIMIT
}

fn pause(starts: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1 << starts.min(16)).min(LONGEST_PAUSE)
}

/// Stays with one run; says whether it was ready in it.
async fn attend(shared: &Arc<Shared>, held: &Arc<Held>, run: &Container, news: &mut News) -> bool {
    let spec = &run.marks.release.instance;
    let Some(address) = run.address else {
        find_address(shared, held, news).await;
        return false;
    };
    shared.begin_run(held);
    let asked = Asked { address: pilotage_proxy::Address::Tcp(address), protocol: spec.protocol };
    let (sender, mut findings) = mpsc::channel(4);
    let _probes = AbortOnDrop(tokio::spawn(probe::watch(asked, spec.health.clone(), sender)));
    let noted = Arc::clone(held);
    let note = move |cpu_millis, memory_bytes| {
        noted.note(|seen| (seen.cpu_millis, seen.memory_bytes) = (cpu_millis, memory_bytes));
    };
    let _readings = AbortOnDrop(tokio::spawn(readings::take(shared.engine.clone(), held.id.clone(), note)));
    let deadline = Instant::now() + spec.start_timeout;
    let mut ready = false;
    let mut not_ready = "it was not probed".to_owned();
    let mut streaks = Streaks::default();
    loop {
        tokio::select! {
            changed = news.changed() => {
                let now = news.borrow().clone();
                let goes_on = changed.is_ok() && now.is_some_and(|now| is_same_run(&now, run));
                if !goes_on {
                    return ready;
                }
                news.mark_unchanged();
            }
            Some(finding) = findings.recv() => {
                if let Finding::Ready(Err((failure, _))) = &finding {
                    not_ready.clone_from(&failure.reason);
                }
                ready |= matches!(finding, Finding::Ready(Ok(())));
                let mut verdict = None;
                shared.note(held, |seen| verdict = streaks.judge(finding, ready, seen));
                if let Some(reason) = verdict {
                    shared.restart(held, reason).await;
                    return ready;
                }
            }
            () = sleep_until(deadline), if !ready => {
                let reason = format!("was not ready within {}: {not_ready}", in_units(spec.start_timeout));
                // One that was ready before may only wait for something it needs, so it is given another try.
                if held.seen().was_ready {
                    shared.restart(held, reason).await;
                } else {
                    shared.give_up(held, reason).await;
                }
                return false;
            }
        }
    }
}

/// A container without an address has just been started, or somebody has taken it out of its network.
async fn find_address(shared: &Arc<Shared>, held: &Arc<Held>, news: &mut News) {
    sleep(FIRST_PAUSE).await;
    let _ = shared.refresh(&held.id).await;
    if held.container().address.is_none() {
        shared.connect(held).await;
    }
    let _ = timeout(LONGEST_PAUSE, news.changed()).await;
}

fn is_same_run(now: &Container, run: &Container) -> bool {
    now.phase == Phase::Running
        && now.started_at == run.started_at
        && now.address == run.address
        && !now.is_retired()
}

#[derive(Debug, Default)]
pub(crate) struct Streaks {
    ready: u32,
    live: u32,
}

impl Streaks {
    /// Takes a probe's finding in; says why the service has to be started again, if so.
    pub fn judge(&mut self, finding: Finding, ready: bool, seen: &mut Seen) -> Option<String> {
        let mut verdict = None;
        match finding {
            Finding::Ready(Ok(())) => {
                self.ready = 0;
                seen.readiness = Readiness::Ready;
                seen.was_ready = true;
            }
            Finding::Ready(Err(_)) if !ready => seen.readiness = Readiness::NotYet,
            Finding::Ready(Err((failure, streak))) => {
                self.ready = streak;
                if Finding::takes_out(&failure, streak) {
                    seen.readiness = Readiness::Failing;
                }
            }
            Finding::Live(Ok(())) => self.live = 0,
            Finding::Live(Err((failure, streak))) => {
                self.live = streak;
                verdict = (streak >= LIVE_LIMIT).then(|| {
                    format!("failed its liveness probe {streak} times in a row: {}", failure.reason)
                });
            }
        }
        seen.probe_failures = if ready { self.ready.max(self.live) } else { 0 };
        verdict
    }
}

impl Shared {
    fn begin_run(&self, held: &Held) {
        self.note(held, |seen| {
            // One that was there before us is not known until it has been asked.
            if seen.readiness != Readiness::Unknown {
                seen.readiness = Readiness::NotYet;
            }
        });
    }

    /// Notes how a run has ended, with its last lines.
    async fn note_end(&self, held: &Held, container: &Container) {
        // Traffic is kept away at once; the words may take a moment.
        self.note(held, |seen| seen.readiness = Readiness::NotYet);
        let lines = tail(&self.engine, self.config.secrets.known(), &held.id).await;
        let reason = with_tail(&how_it_ended(container), &lines);
        self.note(held, |seen| seen.ending = Some(reason));
    }

    async fn give_up_after_ends(self: &Arc<Self>, held: &Arc<Held>, container: &Container) {
        let ending = held.seen().ending.unwrap_or_else(|| how_it_ended(container));
        let ends = container.engine_restarts;
        self.conclude(held, format!("ended {ends} times before it was ready; the last time it {ending}"))
            .await;
    }

    /// Gives up one that runs, with its last lines.
    async fn give_up(self: &Arc<Self>, held: &Arc<Held>, reason: String) {
        let lines = tail(&self.engine, self.config.secrets.known(), &held.id).await;
        self.conclude(held, with_tail(&reason, &lines)).await;
    }

    /// Starts one again that does not work.
    async fn restart(self: &Arc<Self>, held: &Arc<Held>, reason: String) {
        let lines = tail(&self.engine, self.config.secrets.known(), &held.id).await;
        let reason = with_tail(&reason, &lines);
        tracing::warn!(instance = held.container().marks.instance, reason, "an instance is started again");
        self.note(held, |seen| {
            seen.ending = Some(reason);
            seen.readiness = Readiness::Failing;
            seen.own_restarts += 1;
        });
        self.restart_container(held).await;
        self.note(held, |seen| seen.readiness = Readiness::NotYet);
    }
}

/// Ends a task together with its owner.
pub(crate) struct AbortOnDrop(pub JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use pilotage_targets::probe::ProbeFailure;

    use super::*;

    #[test]
    fn one_that_is_ready_is_taken_out_when_it_says_no_and_started_again_when_it_is_not_alive() {
        let (mut streaks, mut seen) = (Streaks::default(), Seen::default());
        let failure = |silent| ProbeFailure { reason: "GET /live answered 500".into(), silent };
        assert_eq!(streaks.judge(Finding::Ready(Err((failure(false), 1))), false, &mut seen), None);
        assert_eq!((seen.readiness, seen.probe_failures), (Readiness::NotYet, 0));
        streaks.judge(Finding::Ready(Ok(())), true, &mut seen);
        streaks.judge(Finding::Ready(Err((failure(true), 1))), true, &mut seen);
        assert_eq!((seen.readiness, seen.probe_failures), (Readiness::Ready, 1), "it may only be busy");
        streaks.judge(Finding::Ready(Err((failure(false), 2))), true, &mut seen);
        assert_eq!(seen.readiness, Readiness::Failing);
        assert_eq!(streaks.judge(Finding::Live(Err((failure(false), 2))), true, &mut seen), None);
        let verdict = streaks.judge(Finding::Live(Err((failure(false), 3))), true, &mut seen);
        assert!(verdict.unwrap().contains("3 times in a row: GET /live answered 500"));
    }

    #[test]
    fn pauses_double_to_half_a_minute() {
        let pauses: Vec<u128> = (0..10).map(|starts| pause(starts).as_millis()).collect();
        assert_eq!(pauses, [200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
    }
}
