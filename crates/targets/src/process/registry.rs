//! All instances that this control plane knows of, and the news of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use pilotage_proxy::{Endpoint, Protocol};
use pilotage_spec::{Digest, EnvironmentName, Version, Workload};
use tokio::sync::watch;

use super::held::Held;
use crate::edge::{EndpointSource, Serving};

/// The instances that have not ended.
#[derive(Debug)]
pub struct Registry {
    held: Mutex<BTreeMap<String, Arc<Held>>>,
    changes: watch::Sender<u64>,
}

impl Registry {
    /// Without instances.
    pub fn new() -> Self {
        Self { held: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Changes with every piece of news.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Tells everybody that something is different.
    pub fn announce(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Adds an instance.
    pub fn add(&self, held: Arc<Held>) {
        self.with(|all| all.insert(held.record.name.clone(), held));
        self.announce();
    }

    /// Forgets an instance that has ended.
    pub fn forget(&self, name: &str) {
        if self.with(|all| all.remove(name)).is_some() {
            self.announce();
        }
    }

    /// One instance.
    pub fn get(&self, name: &str) -> Option<Arc<Held>> {
        self.with(|all| all.get(name).cloned())
    }

    /// All instances.
    pub fn all(&self) -> Vec<Arc<Held>> {
        self.with(|all| all.values().cloned().collect())
    }

    /// All instances of a workload, oldest first.
    pub fn of(&self, workload: &Workload) -> Vec<Arc<Held>> {
        let mut found = self.all();
        found.retain(|held| held.record.workload == *workload);
        found.sort_by_key(|held| held.record.number);
        found
    }

    /// All instances of one version of a workload, oldest first.
    pub fn of_version(&self, workload: &Workload, version: &Version) -> Vec<Arc<Held>> {
        let mut found = self.of(workload);
        found.retain(|held| held.record.release.id.version == *version);
        found
    }

    /// The releases that instances run.
    pub fn digests(&self) -> Vec<Digest> {
        self.all().iter().map(|held| held.record.release.id.digest.clone()).collect()
    }

    /// The environments that have instances.
    pub fn environments(&self) -> BTreeSet<EnvironmentName> {
        self.all().iter().map(|held| held.record.workload.environment.clone()).collect()
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Arc<Held>>) -> T) -> T {
        act(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl EndpointSource for Registry {
    fn serving(&self, workload: &Workload, version: &Version) -> Option<Serving> {
        let instances = self.of_version(workload, version);
        let endpoints = instances.iter().filter_map(|held| {
            held.serving().map(|address| Endpoint { instance: held.record.name.clone(), address })
        });
        let protocol = instances.first().map(|held| protocol(held.record.release.instance.protocol));
        Some(Serving { endpoints: endpoints.collect(), protocol: protocol.unwrap_or_default() })
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

fn protocol(protocol: pilotage_spec::Protocol) -> Protocol {
    match protocol {
        pilotage_spec::Protocol::Http1 => Protocol::Http1,
        pilotage_spec::Protocol::Http2 => Protocol::Http2,
    }
}
