//! From traffic and instances to the edge's table, and back.

use std::collections::BTreeMap;

use pilotage_proxy::{Endpoint, FULL_WEIGHT, Pool, Protocol, Route, RoutingTable};
use pilotage_spec::{Version, Workload};

use crate::process::registry::Registry;
use crate::{TargetError, Traffic};

/// The routes for these shares, with the instances that take traffic now.
pub(super) fn build(traffic: &BTreeMap<Workload, Traffic>, registry: &Registry) -> Vec<Route> {
    traffic.iter().map(|(workload, traffic)| route(workload, traffic, registry)).collect()
}

fn route(workload: &Workload, traffic: &Traffic, registry: &Registry) -> Route {
    let pools = traffic.shares.iter().map(|(version, weight)| Pool {
        version: version.to_string(),
        weight: *weight,
        protocol: Protocol::Http1,
        endpoints: endpoints(workload, version, registry),
    });
    Route {
        pools: pools.collect(),
        hold_ms: traffic.hold_ms,
        ..Route::new(workload.to_string(), traffic.listen)
    }
}

fn endpoints(workload: &Workload, version: &Version, registry: &Registry) -> Vec<Endpoint> {
    let instances = registry.of_version(workload, version);
    let serving = instances.iter().filter_map(|held| {
        held.serving().map(|address| Endpoint { instance: held.record.name.clone(), address: address.into() })
    });
    serving.collect()
}

/// The shares that a table was made of. What is not ours, because it has no such name, is left out.
pub(super) fn read(table: &RoutingTable) -> BTreeMap<Workload, Traffic> {
    table.routes.iter().filter_map(read_route).collect()
}

fn read_route(route: &Route) -> Option<(Workload, Traffic)> {
    let (environment, service) = route.name.split_once('/')?;
    let workload = Workload { environment: environment.parse().ok()?, service: service.parse().ok()? };
    let shares = route.pools.iter().map(|pool| Some((pool.version.parse().ok()?, pool.weight)));
    let shares = shares.collect::<Option<Vec<_>>>()?;
    Some((workload, Traffic { listen: route.listen, shares, hold_ms: route.hold_ms }))
}

/// Refuses what the edge would refuse, in words for those who wrote the file.
pub(super) fn check(
    workload: &Workload,
    traffic: &Traffic,
    others: &BTreeMap<Workload, Traffic>,
) -> Result<(), TargetError> {
    let failed = |reason: String| TargetError::Failed { doing: format!("route {workload}"), reason };
    let sum: u64 = traffic.shares.iter().map(|(_, share)| u64::from(*share)).sum();
    if !traffic.shares.is_empty() && sum != u64::from(FULL_WEIGHT) {
        return Err(failed(format!("the shares add up to {sum}, not to {FULL_WEIGHT}")));
    }
    let taken = others.iter().find(|(other, theirs)| *other != workload && theirs.listen == traffic.listen);
    match taken {
        Some((other, _)) => Err(failed(format!(
            "{other} is served on {} already; give one of them another `port`",
            traffic.listen
        ))),
        None => Ok(()),
    }
}
