//! One route.

use std::collections::BTreeSet;

use super::RouteFault;
use super::name::{host, path};
use super::shaping::shaping;
use crate::table::{FULL_WEIGHT, Pool, Route};

/// Times are added to the clock, which must not overflow.
const LONGEST_MS: u64 = 366 * 24 * 60 * 60 * 1_000;

pub(super) fn route(route: &Route) -> Result<(), RouteFault> {
    if route.listen.port() == 0 {
        return Err(RouteFault::Port);
    }
    route.hosts.iter().try_for_each(|name| host(name))?;
    path(&route.path)?;
    pools(&route.pools)?;
    shaping(route)?;
    times(route)?;
    numbers(route)
}

fn pools(pools: &[Pool]) -> Result<(), RouteFault> {
    let mut versions = BTreeSet::new();
    for Pool { version, .. } in pools {
        if !version.bytes().all(is_field_value) {
            return Err(RouteFault::Version { version: version.clone() });
        }
        if !versions.insert(version) {
            return Err(RouteFault::Duplicate { what: "version", name: version.clone() });
        }
    }
    let sum: u64 = pools.iter().map(|pool| u64::from(pool.weight)).sum();
    if pools.is_empty() || sum == u64::from(FULL_WEIGHT) { Ok(()) } else { Err(RouteFault::Weights { sum }) }
}

/// What a version may be made of, so that it can be the value of a header (RFC 9110, section 5.5).
fn is_field_value(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~')
}

fn times(route: &Route) -> Result<(), RouteFault> {
    let timeouts = &route.timeouts;
    let must_pass = [
        ("timeouts.connect_ms", Some(timeouts.connect_ms)),
        ("timeouts.first_byte_ms", Some(timeouts.first_byte_ms)),
        ("timeouts.idle_ms", Some(timeouts.idle_ms)),
        ("timeouts.total_ms", timeouts.total_ms),
        ("mirror.timeout_ms", route.mirror.as_ref().map(|mirror| mirror.timeout_ms)),
    ];
    let may_be_zero = [
        ("hold_ms", Some(route.hold_ms)),
        ("limits.queue_ms", Some(route.limits.queue_ms)),
        ("ejection.pause_ms", Some(route.ejection.pause_ms)),
        ("slow_start_ms", Some(route.slow_start_ms)),
        ("tunnel_drain_ms", Some(route.tunnel_drain_ms)),
    ];
    for (setting, ms) in must_pass {
        if ms == Some(0) {
            return Err(RouteFault::Zero { setting, mend: "leave it out for the default, or name a time" });
        }
    }
    for (setting, ms) in must_pass.into_iter().chain(may_be_zero) {
        if let Some(ms) = ms.filter(|ms| *ms > LONGEST_MS) {
            return Err(RouteFault::TooLong { setting, ms });
        }
    }
    Ok(())
}

fn numbers(route: &Route) -> Result<(), RouteFault> {
    if route.limits.max_in_flight == Some(0) {
        return Err(RouteFault::Zero { setting: "limits.max_in_flight", mend: "leave it out for no limit" });
    }
    let percentages = [
        ("ejection.floor_percent", route.ejection.floor_percent),
        ("retries.budget_percent", route.retries.budget_percent),
    ];
    match percentages.into_iter().find(|(_, percent)| *percent > 100) {
        Some((setting, percent)) => Err(RouteFault::Percent { setting, percent }),
        None => Ok(()),
    }
}
