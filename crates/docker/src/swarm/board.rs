//! What is known of the services and their tasks, for the edge. It is never the answer to `observe`, which asks the swarm.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bollard::models::{Service, ServiceSpec};
use pilotage_proxy::{Address, Endpoint};
use pilotage_spec::{Version, Workload};
use pilotage_targets::{EndpointSource, Fence, Instance, InstanceState, Serving};
use tokio::sync::watch;

use super::slot::{Run, Slot};
use crate::instance::Marks;
use crate::instance::state::{Readiness, Seen};
use crate::names::Scope;
use crate::watch::protocol;

/// A service of ours.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Deployed {
    pub id: String,
    /// The version of the object, which an update has to name.
    pub index: u64,
    pub marks: Marks,
    pub spec: ServiceSpec,
    /// How an update or a rollback by hand goes, if there was one.
    pub update: Option<String>,
}

impl Deployed {
    /// Reads a service; `None` if it is not ours.
    pub fn read(scope: &Scope, service: Service) -> Option<Self> {
        let spec = service.spec?;
        Some(Self {
            id: service.id?,
            index: service.version?.index?,
            marks: Marks::read(scope, spec.labels.as_ref()?)?,
            update: service.update_status.and_then(|status| status.state).map(|state| state.to_string()),
            spec,
        })
    }

    /// How many tasks it is to have.
    pub fn replicas(&self) -> u32 {
        let replicated = self.spec.mode.as_ref().and_then(|mode| mode.replicated.as_ref());
        replicated.and_then(|replicated| replicated.replicas?.try_into().ok()).unwrap_or(0)
    }

    fn is_of(&self, workload: &Workload) -> bool {
        self.marks.workload == *workload
    }
}

/// Everything, as it was asked for last.
#[derive(Debug, Default)]
struct Known {
    slots: Vec<Slot>,
    services: Vec<Deployed>,
    /// What the probes know, by task.
    seen: BTreeMap<String, Seen>,
    /// The addresses of nodes.
    nodes: BTreeMap<String, IpAddr>,
    /// Services that get no traffic any more, with the token of whoever wants them gone.
    leaving: BTreeMap<String, Fence>,
    /// Whether the swarm has listed everything at least once.
    is_complete: bool,
}

/// All services of the environment, and the news of them.
pub(super) struct Board {
    known: Mutex<Known>,
    changes: watch::Sender<u64>,
}

impl Board {
    pub fn new() -> Self {
        Self { known: Mutex::default(), changes: watch::Sender::new(0) }
    }

    /// Takes in what the swarm says now; returns the runs that are to be probed.
    pub fn update(&self, services: Vec<Deployed>, slots: Vec<Slot>) -> Vec<Run> {
        let mut known = self.known();
        let is_news = !known.is_complete || known.slots != slots || known.services != services;
        let was_there = !known.is_complete;
        let runs: Vec<&Run> = slots.iter().flat_map(|slot| &slot.runs).collect();
        let ids: BTreeSet<&String> = runs.iter().map(|run| &run.id).collect();
        known.seen.retain(|id, _| ids.contains(id));
        for run in &runs {
            let readiness = if was_there { Readiness::Unknown } else { Readiness::NotYet };
            known.seen.entry(run.id.clone()).or_insert_with(|| Seen { readiness, ..Seen::default() });
        }
        let running = runs.into_iter().filter(|run| run.is_running()).cloned().collect();
        known.leaving.retain(|name, _| services.iter().any(|service| service.marks.instance == *name));
        (known.services, known.slots, known.is_complete) = (services, slots, true);
        drop(known);
        if is_news {
            self.announce();
        }
        running
    }

    /// Notes what a probe or reading has found of a task, and tells everybody if it is news.
    pub fn note(&self, task: &str, change: impl FnOnce(&mut Seen)) {
        let mut known = self.known();
        let Some(seen) = known.seen.get_mut(task) else { return };
        let words = |seen: &Seen| (seen.readiness, seen.probe_failures, seen.given_up.clone());
        let before = words(seen);
        change(seen);
        let is_news = before != words(seen);
        drop(known);
        if is_news {
            self.announce();
        }
    }

    /// Takes a service out of the traffic, or (`None`) back in.
    pub fn drain(&self, service: &str, by: Option<Fence>) {
        let mut known = self.known();
        match by {
            Some(fence) => known.leaving.insert(service.to_owned(), fence),
            None => known.leaving.remove(service),
        };
        drop(known);
        self.announce();
    }

    /// Who wants a service gone.
    pub fn draining(&self, service: &str) -> Option<Fence> {
        self.known().leaving.get(service).copied()
    }

    /// The services of a workload as they were listed last.
    pub fn services(&self, workload: &Workload) -> Vec<Deployed> {
        self.known().services.iter().filter(|service| service.is_of(workload)).cloned().collect()
    }

    /// Nodes whose address is not known yet.
    pub fn unknown_nodes(&self, slots: &[Slot]) -> bool {
        let known = self.known();
        let mut runs = slots.iter().flat_map(|slot| &slot.runs);
        runs.any(|run| !run.node.is_empty() && !known.nodes.contains_key(&run.node))
    }

    /// Takes in the addresses of nodes.
    pub fn set_nodes(&self, nodes: BTreeMap<String, IpAddr>) {
        self.known().nodes = nodes;
    }

    /// The address of a node.
    pub fn node(&self, id: &str) -> Option<IpAddr> {
        self.known().nodes.get(id).copied()
    }

    /// The instances of a workload, as they are known.
    pub fn instances(&self, workload: &Workload) -> Vec<Instance> {
        let known = self.known();
        known.of(workload).filter_map(|(slot, seen)| known.instance(slot, &seen)).collect()
    }

    /// All runs of a workload that are remembered.
    pub fn runs(&self, workload: &Workload) -> Vec<Run> {
        let known = self.known();
        known.of(workload).flat_map(|(slot, _)| slot.runs.clone()).collect()
    }

    /// Those of a service.
    pub fn instances_of(&self, service: &Deployed) -> Vec<Instance> {
        let mut found = self.instances(&service.marks.workload);
        found.retain(|instance| {
            instance.name.rsplit_once('.').is_some_and(|(name, _)| name == service.marks.instance)
        });
        found
    }

    pub fn announce(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn of<'a>(&'a self, workload: &'a Workload) -> impl Iterator<Item = (&'a Slot, Seen)> {
        let own =
            self.slots.iter().filter(|slot| slot.last().is_some_and(|run| run.marks.workload == *workload));
        own.filter_map(|slot| Some((slot, self.seen_of(slot)?)))
    }

    fn seen_of(&self, slot: &Slot) -> Option<Seen> {
        let last = slot.last()?;
        let seen = self.seen.get(&last.id).cloned().unwrap_or_default();
        Some(Seen { draining: self.leaving.get(&last.marks.instance).copied(), ..seen })
    }

    fn instance(&self, slot: &Slot, seen: &Seen) -> Option<Instance> {
        let last = slot.last()?;
        let instance = slot.instance(seen, self.nodes.get(&last.node).copied())?;
        if last.image.contains(&last.marks.release.id.digest.to_string()) {
            return Some(instance);
        }
        let reason = format!(
            "it runs {}, which is not its release: somebody has changed its service by hand; deploy the version once more",
            last.image
        );
        Some(Instance { state: InstanceState::Failed { reason }, ..instance })
    }
}

impl EndpointSource for Board {
    fn serving(&self, workload: &Workload, version: &Version) -> Option<Serving> {
        let known = self.known();
        if !known.is_complete {
            return None;
        }
        let own = known
            .of(workload)
            .filter(|(slot, _)| slot.last().is_some_and(|run| run.marks.release.id.version == *version));
        let own: Vec<(&Slot, Seen)> = own.collect();
        let is_open = |(slot, seen): &(&Slot, Seen)| {
            seen.readiness == Readiness::Unknown && slot.last().is_some_and(Run::is_running)
        };
        if own.iter().any(is_open) {
            return None;
        }
        let spoken = own.first().and_then(|(slot, _)| Some(slot.last()?.marks.release.instance.protocol));
        let endpoints = own.iter().filter_map(|(slot, seen)| endpoint(known.instance(slot, seen)?));
        Some(Serving { endpoints: endpoints.collect(), protocol: spoken.map(protocol).unwrap_or_default() })
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

fn endpoint(instance: Instance) -> Option<Endpoint> {
    let is_ready = instance.state == InstanceState::Ready;
    let address: Address = instance.address.filter(|_| is_ready)?;
    Some(Endpoint { instance: instance.name, address })
}
