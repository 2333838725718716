//! From traffic and instances to the edge's table, and back.

use std::collections::BTreeMap;

use pilotage_proxy::{Pool, Route, RoutingTable};
use pilotage_spec::{Version, Workload};

use super::sources::{EndpointSource, Serving, Sources};
use super::{listeners, preview, settings, shaping};
use crate::Traffic;

/// The table for this traffic, with the instances that take it now; where they are not known, with those of the table before. Its
/// epoch is still to be chosen.
pub fn build_table(
    traffic: &BTreeMap<Workload, Traffic>,
    source: &dyn EndpointSource,
    before: &RoutingTable,
) -> RoutingTable {
    build_with(traffic, |workload, version| source.serving(workload, version), before)
}

/// The same for all environments, each of which has a source of its own.
pub(super) fn build(
    traffic: &BTreeMap<Workload, Traffic>,
    sources: &Sources,
    before: &RoutingTable,
) -> RoutingTable {
    build_with(traffic, |workload, version| sources.serving(workload, version), before)
}

fn build_with(
    traffic: &BTreeMap<Workload, Traffic>,
    serving: impl Fn(&Workload, &Version) -> Option<Serving>,
    before: &RoutingTable,
) -> RoutingTable {
    let routes = traffic.iter().flat_map(|(workload, traffic)| {
        let pool = |version: &Version, weight| {
            let known = serving(workload, version);
            let serving = known.unwrap_or_else(|| serving_before(before, workload, version));
            pool(version, weight, serving)
        };
        let preview =
            traffic.preview.as_ref().map(|preview| preview::route(workload, traffic, preview, pool));
        std::iter::once(route(workload, traffic, pool)).chain(preview)
    });
    RoutingTable { routes: routes.collect(), listeners: listeners::build(traffic), ..RoutingTable::empty() }
}

fn route(workload: &Workload, traffic: &Traffic, pool: impl Fn(&Version, u32) -> Pool) -> Route {
    let shared = traffic.shares.iter().map(|(version, weight)| pool(version, *weight));
    let route = Route {
        pools: shared.chain(without_share(traffic).into_iter().map(|version| pool(version, 0))).collect(),
        hold_ms: traffic.hold_ms,
        cohorts: traffic.cohorts.iter().map(shaping::cohort).collect(),
        mirror: traffic.mirror.as_ref().map(shaping::mirror),
        ..Route::new(workload.to_string(), traffic.listen)
    };
    settings::apply(&traffic.route, route)
}

/// Versions that get requests by cohort or mirror alone.
fn without_share(traffic: &Traffic) -> Vec<&Version> {
    let mut versions: Vec<&Version> = traffic.by_cohort_or_copy().collect();
    versions.sort();
    versions.dedup();
    versions.retain(|version| traffic.shares.iter().all(|(shared, _)| shared != *version));
    versions
}

fn pool(version: &Version, weight: u32, serving: Serving) -> Pool {
    let Serving { endpoints, protocol } = serving;
    Pool { version: version.to_string(), weight, protocol, endpoints }
}

/// The instances of a version in a table.
fn serving_before(table: &RoutingTable, workload: &Workload, version: &Version) -> Serving {
    let (route, version) = (workload.to_string(), version.to_string());
    let own = |name: &str| name == route || preview::is_of(name, &route);
    let mut pools = table.routes.iter().filter(|known| own(&known.name)).flat_map(|route| &route.pools);
    let pool = pools.find(|pool| pool.version == version);
    pool.map(|pool| Serving { endpoints: pool.endpoints.clone(), protocol: pool.protocol })
        .unwrap_or_default()
}

/// The traffic that a table was made of. What is not ours, because it has no such name, is left out.
pub(super) fn read(table: &RoutingTable) -> BTreeMap<Workload, Traffic> {
    let mut traffic: BTreeMap<Workload, Traffic> =
        table.routes.iter().filter_map(|route| read_route(route, table)).collect();
    for (workload, preview) in table.routes.iter().filter_map(preview::read) {
        if let Some(traffic) = traffic.get_mut(&workload) {
            traffic.preview = Some(preview);
        }
    }
    traffic
}

fn read_route(route: &Route, table: &RoutingTable) -> Option<(Workload, Traffic)> {
    let workload = read_name(&route.name)?;
    let shares = route.pools.iter().map(|pool| Some((pool.version.parse().ok()?, pool.weight)));
    let mut traffic = Traffic {
        shares: shares.collect::<Option<Vec<_>>>()?,
        hold_ms: route.hold_ms,
        route: settings::read(route)?,
        edge: listeners::read(table, route.listen),
        cohorts: route.cohorts.iter().map(shaping::read_cohort).collect::<Option<_>>()?,
        mirror: route.mirror.as_ref().and_then(shaping::read_mirror),
        ..Traffic::new(route.listen)
    };
    let apart: Vec<Version> = traffic.by_cohort_or_copy().cloned().collect();
    traffic.shares.retain(|(version, share)| *share > 0 || !apart.contains(version));
    Some((workload, traffic))
}

/// The workload that a route is called after.
pub(super) fn read_name(name: &str) -> Option<Workload> {
    let (environment, service) = name.split_once('/')?;
    Some(Workload { environment: environment.parse().ok()?, service: service.parse().ok()? })
}
