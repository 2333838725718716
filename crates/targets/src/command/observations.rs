//! What was seen of each workload, for as long as that may be repeated.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pilotage_spec::Workload;
use tokio::sync::{Mutex as AsyncMutex, watch};

use super::pace::pace;
use crate::{Instance, Observation, TargetError};

/// A workload that nobody has asked for so long is looked at no longer.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);

/// All workloads that somebody asks for.
#[derive(Debug)]
pub struct Observations {
    interval: Duration,
    watched: Mutex<BTreeMap<Workload, Arc<Watched>>>,
    changes: watch::Sender<u64>,
}

/// One workload that somebody asks for.
#[derive(Debug)]
struct Watched {
    /// Rises when something is done: what was seen before is worth nothing then.
    effects: AtomicU64,
    asked_at: Mutex<Instant>,
    /// Held while the engine is asked, so that many who want to know ask once.
    seen: AsyncMutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    last: Option<(Observation, u64)>,
    looked_at: Option<Instant>,
    changed_at: Instant,
    failures: u32,
}

impl Observations {
    /// Without workloads.
    pub fn new(interval: Duration) -> Self {
        Self { interval, watched: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Changes with every piece of news.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// What was seen a moment ago, or else what `look` sees now.
    pub async fn get<F>(
        &self,
        workload: &Workload,
        look: impl FnOnce() -> F,
    ) -> Result<Observation, TargetError>
    where
        F: Future<Output = Result<Observation, TargetError>>,
    {
        let watched = self.watched(workload);
        *watched.asked_at.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.look(&watched, look).await
    }

    /// Looks again at a workload if it is time.
    pub async fn refresh<F>(&self, workload: &Workload, look: impl FnOnce() -> F)
    where
        F: Future<Output = Result<Observation, TargetError>>,
    {
        let watched = self.watched(workload);
        if !watched.seen.lock().await.is_due(self.interval) {
            return;
        }
        if let Err(error) = self.look(&watched, look).await {
            tracing::debug!(%workload, %error, "cannot be looked at");
        }
    }

    async fn look<F>(&self, watched: &Watched, look: impl FnOnce() -> F) -> Result<Observation, TargetError>
    where
        F: Future<Output = Result<Observation, TargetError>>,
    {
        let mut seen = watched.seen.lock().await;
        let effects = watched.effects.load(Ordering::SeqCst);
        if let Some(fresh) = seen.fresh(effects, self.interval) {
            return Ok(fresh.clone());
        }
        let looked = look().await;
        seen.looked_at = Some(Instant::now());
        let observation = match looked {
            Ok(observation) => observation,
            Err(error) => {
                seen.failures = seen.failures.saturating_add(1);
                return Err(error);
            }
        };
        seen.failures = 0;
        let is_news = seen.last.as_ref().is_none_or(|(last, _)| news(last, &observation));
        seen.last = Some((observation.clone(), effects));
        if is_news {
            seen.changed_at = Instant::now();
            self.announce();
        }
        Ok(observation)
    }

    /// Something is being done or was done: what was seen before may be otherwise now.
    pub fn disturbed(&self, workload: &Workload) {
        self.watched(workload).effects.fetch_add(1, Ordering::SeqCst);
    }

    /// Those that are to be looked at, after those that nobody asks for any more were forgotten.
    pub fn asked_for(&self) -> Vec<Workload> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        watched.retain(|_, watched| {
            let asked_at = *watched.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
            asked_at.elapsed() < FORGOTTEN_AFTER
        });
        watched.keys().cloned().collect()
    }

    fn announce(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn watched(&self, workload: &Workload) -> Arc<Watched> {
        let mut watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = watched.entry(workload.clone()).or_insert_with(|| {
            let seen = Seen { last: None, looked_at: None, changed_at: Instant::now(), failures: 0 };
            Arc::new(Watched {
                effects: AtomicU64::new(0),
                asked_at: Mutex::new(Instant::now()),
                seen: AsyncMutex::new(seen),
            })
        });
        Arc::clone(entry)
    }
}

impl Seen {
    /// What was seen last, if nothing was done since and it is not time to look again.
    fn fresh(&self, effects: u64, interval: Duration) -> Option<&Observation> {
        let (observation, before) = self.last.as_ref()?;
        (!self.is_due(interval) && *before == effects && self.failures == 0).then_some(observation)
    }

    fn is_due(&self, interval: Duration) -> bool {
        let pace = pace(interval, self.changed_at.elapsed(), self.failures);
        self.looked_at.is_none_or(|at| at.elapsed() >= pace)
    }
}

/// Whether anything differs beside the time and readings, which change always.
fn news(before: &Observation, after: &Observation) -> bool {
    let plain = |instance: &Instance| Instance { cpu_millis: None, memory_bytes: None, ..instance.clone() };
    let instances = |observation: &Observation| observation.instances.iter().map(plain).collect::<Vec<_>>();
    before.traffic != after.traffic || instances(before) != instances(after)
}
