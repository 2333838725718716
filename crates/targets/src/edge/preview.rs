//! A version at an address of its own: a second route beside the one of the users, found again by its name.

use pilotage_proxy::{Pool, Route};
use pilotage_spec::{Preview, RouteSettings, Version, Workload};

use super::{routes, settings};
use crate::Traffic;

/// What comes after the workload in the route's name. No service is called so: names hold no slash.
const SUFFIX: &str = "/preview";
/// All the traffic, in hundredths of a percent.
const ALL: u32 = 10_000;

/// The route of a preview. Hosts and path are left out: whoever knows the address means this workload.
pub(super) fn route(
    workload: &Workload,
    traffic: &Traffic,
    preview: &Preview,
    pool: impl Fn(&Version, u32) -> Pool,
) -> Route {
    let everything =
        RouteSettings { hosts: Vec::new(), path: RouteSettings::default().path, ..traffic.route.clone() };
    let route = Route {
        pools: vec![pool(&preview.version, ALL)],
        hold_ms: traffic.hold_ms,
        ..Route::new(format!("{workload}{SUFFIX}"), preview.listen)
    };
    settings::apply(&everything, route)
}

/// Whether a route is the preview of another.
pub(super) fn is_of(name: &str, users: &str) -> bool {
    name.strip_suffix(SUFFIX) == Some(users)
}

/// The preview that a route was made of, if it was made of one.
pub(super) fn read(route: &Route) -> Option<(Workload, Preview)> {
    let workload = routes::read_name(route.name.strip_suffix(SUFFIX)?)?;
    let [pool] = route.pools.as_slice() else { return None };
    Some((workload, Preview { version: pool.version.parse().ok()?, listen: route.listen }))
}
