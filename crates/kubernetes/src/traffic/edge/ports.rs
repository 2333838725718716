//! The ports at which edge pods serve workloads. Each is chosen once, and stays: a Service that leads there need not change.

use std::collections::{BTreeMap, BTreeSet};

use pilotage_spec::ServiceName;
use pilotage_targets::Traffic;

use crate::edge::Entry;

/// Above those that need a privilege, below those that connections are given, and none of our own.
const FIRST: u16 = 10_000;
const LAST: u16 = 19_999;

/// The ports of a workload: those that it has, or else the first that nobody has. `None` if all are taken.
pub(super) fn choose(
    service: &ServiceName,
    traffic: &Traffic,
    all: &BTreeMap<ServiceName, Entry>,
) -> Option<(u16, Option<u16>)> {
    let own = all.get(service);
    let others = || all.iter().filter(|(name, _)| *name != service).map(|(_, entry)| entry);
    let mut taken: BTreeSet<u16> =
        others().flat_map(|entry| [Some(entry.port), entry.preview_port]).flatten().collect();
    // Workloads of one address are told apart by host and path: one port serves them.
    let address = |traffic: &Traffic| traffic.edge.as_ref().map(|edge| edge.listen);
    let shared = address(traffic)
        .and_then(|wanted| others().find(|entry| address(&entry.traffic) == Some(wanted)))
        .map(|entry| entry.port);
    // One that has shared a port, and does so no longer, needs another.
    let kept = own.map(|entry| entry.port).filter(|port| !taken.contains(port));
    let port = shared.or(kept).or_else(|| free(&taken))?;
    taken.insert(port);
    if traffic.preview.is_none() {
        return Some((port, own.and_then(|entry| entry.preview_port)));
    }
    let kept = own.and_then(|entry| entry.preview_port).filter(|port| !taken.contains(port));
    Some((port, Some(kept.or_else(|| free(&taken))?)))
}

fn free(taken: &BTreeSet<u16>) -> Option<u16> {
    (FIRST..=LAST).find(|port| !taken.contains(port))
}
