//! The counters behind a report. One thread writes them; a snapshot may be taken from any.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pilotage_proxy::Histogram;

use super::latency::Latency;
use super::outcome::{Answer, Dropped, Verdict};
use super::report::{DroppedRequest, LoadReport, Outcomes, VersionLoad};

/// So many dropped requests are described one by one.
const DESCRIBED_DROPS: usize = 20;

/// Counts how requests end.
#[derive(Debug)]
pub(super) struct Tally {
    clock: Clock,
    counts: Mutex<Counts>,
}

/// Turns readings of the steady clock into times of day.
#[derive(Debug, Clone, Copy)]
struct Clock {
    origin: Instant,
    origin_micros: i64,
}

#[derive(Debug, Default)]
struct Counts {
    outcomes: Outcomes,
    resent: u64,
    moved: u64,
    told_to_go: u64,
    not_sent: u64,
    in_flight: u64,
    drop_reasons: BTreeMap<String, u64>,
    first_drops: Vec<DroppedRequest>,
    versions: BTreeMap<String, VersionCounts>,
    latency: Histogram,
    ended: Option<Instant>,
}

#[derive(Debug, Default)]
struct VersionCounts {
    load: VersionLoad,
    latency: Histogram,
}

impl Tally {
    pub(super) fn new() -> Self {
        Self { clock: Clock::now(), counts: Mutex::new(Counts::default()) }
    }

    pub(super) fn sent(&self) {
        self.counts().in_flight += 1;
    }

    pub(super) fn not_sent(&self) {
        self.counts().not_sent += 1;
    }

    /// A request goes to another connection.
    pub(super) fn moved(&self) {
        self.counts().moved += 1;
    }

    /// A request goes to another connection later.
    pub(super) fn taken_back(&self) {
        let mut counts = self.counts();
        counts.moved += 1;
        counts.in_flight -= 1;
    }

    /// A WebSocket was closed with 1001.
    pub(super) fn told_to_go(&self) {
        self.counts().told_to_go += 1;
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.counts().in_flight
    }

    /// The load is over; its duration stands still from now on.
    pub(super) fn ended(&self) {
        self.counts().ended = Some(Instant::now());
    }

    /// A request that was due at `due` has ended.
    pub(super) fn finished(&self, due: Instant, method: &str, end: Result<Answer, Dropped>) {
        let now = Instant::now();
        let mut counts = self.counts();
        counts.in_flight -= 1;
        let dropped = match end {
            Ok(answer) => {
                counts.resent += u64::from(answer.resent);
                counts.answered(&self.clock, due, now, &answer);
                match answer.verdict {
                    Verdict::Dropped(dropped) => dropped,
                    _ => return,
                }
            }
            Err(dropped) => {
                counts.outcomes.dropped += 1;
                dropped
            }
        };
        counts.dropped(DroppedRequest {
            sent_micros: self.clock.micros(due),
            method: method.to_owned(),
            reason: dropped.reason,
            detail: dropped.detail,
        });
    }

    pub(super) fn report(&self) -> LoadReport {
        let counts = self.counts();
        let until = counts.ended.unwrap_or_else(Instant::now);
        let duration = until.saturating_duration_since(self.clock.origin);
        LoadReport {
            started_micros: self.clock.origin_micros,
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
            requests: counts.outcomes.total(),
            outcomes: counts.outcomes,
            resent: counts.resent,
            moved: counts.moved,
            told_to_go: counts.told_to_go,
            not_sent: counts.not_sent,
            in_flight: counts.in_flight,
            drop_reasons: counts.drop_reasons.clone(),
            first_drops: counts.first_drops.clone(),
            versions: counts.versions.iter().map(|(name, counts)| (name.clone(), counts.load())).collect(),
            latency: Latency::of(&counts.latency),
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Counters are whole between any two statements, so a panic elsewhere leaves nothing half done.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn answered(&mut self, clock: &Clock, due: Instant, now: Instant, answer: &Answer) {
        let latency_micros = micros_between(due, now);
        if !self.versions.contains_key(&answer.version) {
            self.versions.insert(answer.version.clone(), VersionCounts::default());
        }
        let version = self.versions.entry(answer.version.clone()).or_default();
        version.answered(clock.micros(due), clock.micros(now), latency_micros);
        answer.verdict.count(&mut version.load.outcomes);
        answer.verdict.count(&mut self.outcomes);
        self.latency.record(latency_micros);
    }

    fn dropped(&mut self, dropped: DroppedRequest) {
        *self.drop_reasons.entry(dropped.reason.clone()).or_default() += 1;
        if self.first_drops.len() < DESCRIBED_DROPS {
            self.first_drops.push(dropped);
        }
    }
}

impl VersionCounts {
    fn answered(&mut self, due_micros: i64, now_micros: i64, latency_micros: u64) {
        let load = &mut self.load;
        if load.first_answer_micros == 0 {
            load.first_answer_micros = now_micros;
            load.first_sent_micros = due_micros;
        }
        load.first_sent_micros = load.first_sent_micros.min(due_micros);
        load.last_sent_micros = load.last_sent_micros.max(due_micros);
        load.last_answer_micros = now_micros;
        self.latency.record(latency_micros);
    }

    fn load(&self) -> VersionLoad {
        let latency = Latency::of(&self.latency);
        VersionLoad { latency, ..self.load.clone() }
    }
}

impl Clock {
    fn now() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            origin: Instant::now(),
            origin_micros: i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX),
        }
    }

    fn micros(&self, at: Instant) -> i64 {
        let offset = micros_between(self.origin, at);
        self.origin_micros.saturating_add(i64::try_from(offset).unwrap_or(i64::MAX))
    }
}

fn micros_between(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_micros()).unwrap_or(u64::MAX)
}
