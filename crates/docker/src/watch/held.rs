//! One instance as the control plane sees it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pilotage_proxy::{Address, Endpoint};
use pilotage_secrets::Secret;
use pilotage_spec::Timestamp;
use pilotage_targets::{Fence, Instance, InstanceState};
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::instance::container::Container;
use crate::instance::state::{self, Readiness, Seen};

/// An instance whose container is there.
pub(crate) struct Held {
    /// The container's id, which never changes.
    pub id: String,
    /// Held while the engine is asked about it, so that a later answer is a newer one.
    pub asking: AsyncMutex<()>,
    inner: Mutex<Inner>,
    /// Secrets that were handed to its engine, each by its digest.
    handed_over: Mutex<BTreeMap<String, [u8; 32]>>,
    /// The container as the engine described it last; `None` once it is gone.
    container: watch::Sender<Option<Container>>,
}

struct Inner {
    container: Container,
    seen: Seen,
}

impl Held {
    /// `was_there`: it ran before we came. One that has run for longer than it may take to become ready was ready.
    pub fn new(container: Container, was_there: bool, now: Timestamp) -> Self {
        let readiness = if was_there { Readiness::Unknown } else { Readiness::NotYet };
        let limit = container.marks.release.instance.start_timeout;
        let is_old = container.started_at.is_some_and(|start| now.since(start) > limit);
        let seen = Seen { readiness, was_ready: was_there && is_old, ..Seen::default() };
        let (sender, _) = watch::channel(Some(container.clone()));
        Self {
            id: container.id.clone(),
            asking: AsyncMutex::default(),
            inner: Mutex::new(Inner { container, seen }),
            handed_over: Mutex::default(),
            container: sender,
        }
    }

    /// The container as it was described last.
    pub fn container(&self) -> Container {
        self.inner().container.clone()
    }

    /// What is known beside.
    pub fn seen(&self) -> Seen {
        self.inner().seen.clone()
    }

    /// Follows the container.
    pub fn subscribe(&self) -> watch::Receiver<Option<Container>> {
        self.container.subscribe()
    }

    /// Takes in what the engine says; says whether it is news.
    pub fn update(&self, container: Container) -> bool {
        let mut inner = self.inner();
        if inner.container == container {
            return false;
        }
        inner.container = container.clone();
        drop(inner);
        self.container.send_replace(Some(container));
        true
    }

    /// Notes that the container is gone.
    pub fn gone(&self) {
        self.container.send_replace(None);
    }

    /// Changes what is known beside; says whether that makes another instance of it, but for its readings.
    pub fn note(&self, change: impl FnOnce(&mut Seen)) -> bool {
        let mut inner = self.inner();
        let before = observed(&inner.container, &inner.seen);
        change(&mut inner.seen);
        let after = observed(&inner.container, &inner.seen);
        without_readings(before) != without_readings(after)
    }

    /// Notes that a secret is handed to its engine; says whether it is another one than before.
    pub fn hands_over(&self, name: &str, secret: &Secret) -> bool {
        let digest: [u8; 32] = Sha256::digest(secret.expose()).into();
        let mut handed_over = self.handed_over.lock().unwrap_or_else(PoisonError::into_inner);
        handed_over.insert(name.to_owned(), digest) != Some(digest)
    }

    /// Takes it out of the traffic, or (`None`) back in.
    pub fn drain(&self, by: Option<Fence>) {
        self.inner().seen.draining = by;
    }

    /// How it is; `None` if it was stopped on purpose.
    pub fn state(&self) -> Option<InstanceState> {
        let inner = self.inner();
        state::state(&inner.container, &inner.seen)
    }

    /// Whether the probes have found out yet how it is.
    pub fn is_settled(&self) -> bool {
        let inner = self.inner();
        inner.seen.readiness != Readiness::Unknown || !inner.container.may_run()
    }

    /// Where traffic may be sent, if it may be.
    pub fn endpoint(&self) -> Option<Endpoint> {
        let inner = self.inner();
        if !state::takes_traffic(&inner.container, &inner.seen) {
            return None;
        }
        let address = Address::Tcp(inner.container.address?);
        Some(Endpoint { instance: inner.container.marks.instance.clone(), address })
    }

    /// The instance for an observation; `None` if it was stopped on purpose.
    pub fn observed(&self) -> Option<Instance> {
        let inner = self.inner();
        observed(&inner.container, &inner.seen)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn observed(container: &Container, seen: &Seen) -> Option<Instance> {
    let running = container.may_run();
    Some(Instance {
        name: container.marks.instance.clone(),
        release: container.marks.release.id.clone(),
        state: state::state(container, seen)?,
        address: container.address.map(Address::Tcp),
        pid: container.pid,
        started_at: container.started_at,
        restarts: container.engine_restarts.saturating_add(seen.own_restarts),
        probe_failures: seen.probe_failures,
        cpu_millis: seen.cpu_millis.filter(|_| running),
        memory_bytes: seen.memory_bytes.filter(|_| running),
    })
}

fn without_readings(instance: Option<Instance>) -> Option<Instance> {
    instance.map(|instance| Instance { cpu_millis: None, memory_bytes: None, ..instance })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Phase;
    use crate::instance::container::example;

    const NOW: Timestamp = Timestamp::from_micros(2_000_000);

    #[test]
    fn readings_are_no_news() {
        let held = Held::new(example(Phase::Running), false, NOW);
        assert!(!held.note(|seen| seen.cpu_millis = Some(5)));
        assert!(held.note(|seen| seen.readiness = Readiness::Ready));
        assert_eq!(held.observed().unwrap().cpu_millis, Some(5));
    }

    #[test]
    fn one_that_was_there_before_us_is_not_settled_until_it_was_asked() {
        let held = Held::new(example(Phase::Running), true, NOW);
        assert!(!held.is_settled() && held.endpoint().is_none());
        held.note(|seen| seen.readiness = Readiness::Ready);
        assert!(held.is_settled() && held.endpoint().is_some());
        held.update(Container { address: None, ..example(Phase::Running) });
        assert!(held.endpoint().is_none(), "it was taken off the network");
    }
}
