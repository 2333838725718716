//! All containers of the environment, and the news of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pilotage_proxy::Protocol;
use pilotage_spec::{Protocol as Spoken, Version, Workload};
use pilotage_targets::{EndpointSource, Serving};
use tokio::sync::watch;

use super::held::Held;

/// The containers by their ids.
pub(crate) struct Registry {
    held: Mutex<BTreeMap<String, Arc<Held>>>,
    changes: watch::Sender<u64>,
    /// Whether the engine has listed all of them at least once.
    is_complete: AtomicBool,
}

impl Registry {
    pub fn new() -> Self {
        Self { held: Mutex::default(), changes: watch::Sender::new(0), is_complete: AtomicBool::new(false) }
    }

    /// Tells everybody that something is different.
    pub fn announce(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// From now on, what is not here is not there.
    pub fn completed(&self) {
        if !self.is_complete.swap(true, Ordering::AcqRel) {
            self.announce();
        }
    }

    /// Whether the engine has listed everything at least once.
    pub fn is_complete(&self) -> bool {
        self.is_complete.load(Ordering::Acquire)
    }

    /// Adds one, unless it is here already; returns the one that is here.
    pub fn add(&self, held: Held) -> (Arc<Held>, bool) {
        let mut all = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(&held.id) {
            return (Arc::clone(known), false);
        }
        let held = Arc::new(held);
        all.insert(held.id.clone(), Arc::clone(&held));
        drop(all);
        self.announce();
        (held, true)
    }

    /// Forgets a container that is gone.
    pub fn forget(&self, id: &str) {
        if let Some(held) = self.with(|all| all.remove(id)) {
            held.gone();
            self.announce();
        }
    }

    pub fn get(&self, id: &str) -> Option<Arc<Held>> {
        self.with(|all| all.get(id).cloned())
    }

    pub fn all(&self) -> Vec<Arc<Held>> {
        self.with(|all| all.values().cloned().collect())
    }

    /// All containers of a workload, oldest first.
    pub fn of(&self, workload: &Workload) -> Vec<Arc<Held>> {
        let mut found = self.all();
        found.retain(|held| held.container().marks.workload == *workload);
        found.sort_by_key(|held| held.container().marks.number);
        found
    }

    /// Those of one version, oldest first.
    pub fn of_version(&self, workload: &Workload, version: &Version) -> Vec<Arc<Held>> {
        let mut found = self.of(workload);
        found.retain(|held| held.container().marks.release.id.version == *version);
        found
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Arc<Held>>) -> T) -> T {
        act(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl EndpointSource for Registry {
    fn serving(&self, workload: &Workload, version: &Version) -> Option<Serving> {
        if !self.is_complete() {
            return None;
        }
        let held = self.of_version(workload, version);
        if held.iter().any(|held| !held.is_settled()) {
            return None;
        }
        let spoken = held.first().map(|held| held.container().marks.release.instance.protocol);
        Some(Serving {
            endpoints: held.iter().filter_map(|held| held.endpoint()).collect(),
            protocol: spoken.map(protocol).unwrap_or_default(),
        })
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// What instances speak, in the edge's words.
pub(crate) fn protocol(spoken: Spoken) -> Protocol {
    match spoken {
        Spoken::Http1 => Protocol::Http1,
        Spoken::Http2 => Protocol::Http2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Phase;
    use crate::instance::container::example;
    use crate::instance::state::Readiness;

    const NOW: pilotage_spec::Timestamp = pilotage_spec::Timestamp::from_micros(2_000_000);

    #[test]
    fn nothing_is_said_before_everything_is_known() {
        let registry = Registry::new();
        let container = example(Phase::Running);
        let (workload, version) =
            (container.marks.workload.clone(), container.marks.release.id.version.clone());
        let serving =
            |registry: &Registry| registry.serving(&workload, &version).map(|it| it.endpoints.len());
        assert_eq!(serving(&registry), None, "the engine has not been asked");
        let (held, is_new) = registry.add(Held::new(container.clone(), true, NOW));
        assert!(is_new && !registry.add(Held::new(container, true, NOW)).1);
        registry.completed();
        assert_eq!(serving(&registry), None, "an instance has not been asked");
        held.note(|seen| seen.readiness = Readiness::Ready);
        assert_eq!(serving(&registry), Some(1));
        registry.forget(&held.id);
        assert_eq!(serving(&registry), Some(0));
    }
}
