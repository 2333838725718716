//! A route prepared for workers: times as durations, weights added up, versions resolved to pools, counters at hand.

use std::sync::Arc;
use std::time::Duration;

use super::client::ClientKeys;
use super::cohort::{CompiledCohort, Part};
use super::ejection::EjectionRules;
use super::mirror::CompiledMirror;
use super::split::Salt;
use super::{Registry, RouteCounters, VersionCounters};
use crate::{Endpoint, Pool, Protocol, Retries, Route, RouteLimits, Timeouts};

/// One served workload.
#[derive(Debug)]
pub(crate) struct CompiledRoute {
    pub(crate) name: Arc<str>,
    pub(crate) hold: Duration,
    pub(crate) pools: Vec<CompiledPool>,
    /// Whether two versions share the clients, so that it matters who a client is.
    pub(crate) split: bool,
    pub(crate) mirror: Option<CompiledMirror>,
    pub(crate) timeouts: CompiledTimeouts,
    pub(crate) limits: CompiledLimits,
    pub(crate) retries: Retries,
    pub(crate) ejection: EjectionRules,
    pub(crate) slow_start: Duration,
    pub(crate) tunnel_drain: Duration,
    pub(crate) counters: Arc<RouteCounters>,
    pub(super) cohorts: Vec<CompiledCohort>,
    pub(super) client_keys: ClientKeys,
    salt: Salt,
}

/// The instances of one version.
#[derive(Debug)]
pub(crate) struct CompiledPool {
    /// Also the value of the `Pilotage-Version` response header; no table is valid in which it cannot be.
    pub(crate) version: Arc<str>,
    pub(crate) weight: u32,
    pub(crate) protocol: Protocol,
    /// Where the pool ends on the line of clients: the weights up to and with its own.
    ends_at: u32,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) counters: Arc<VersionCounters>,
}

/// Time limits on the way of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompiledTimeouts {
    pub(crate) connect: Duration,
    pub(crate) first_byte: Duration,
    pub(crate) idle: Duration,
    pub(crate) total: Option<Duration>,
}

/// How much a route takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompiledLimits {
    pub(crate) max_body_bytes: Option<u64>,
    pub(crate) max_in_flight: Option<u32>,
    pub(crate) queue: u32,
    pub(crate) queue_wait: Duration,
}

impl CompiledRoute {
    /// Prepares a validated route. One of the same name in the table before gives what a name stands for.
    pub(super) fn new(route: &Route, before: Option<&Self>, registry: &Registry) -> Self {
        let counters =
            before.map_or_else(|| registry.route(&route.name), |before| Arc::clone(&before.counters));
        let salt = Salt::of_route(&route.name);
        let mut ends_at = 0;
        let pools = route
            .pools
            .iter()
            .map(|pool| {
                ends_at += pool.weight;
                CompiledPool::new(pool, ends_at, &counters)
            })
            .collect();
        let pool_of = |version: &str| route.pools.iter().position(|pool| pool.version == version);
        let cohorts = route.cohorts.iter();
        let mirror = route.mirror.as_ref();
        Self {
            name: before.map_or_else(|| route.name.as_str().into(), |before| Arc::clone(&before.name)),
            hold: Duration::from_millis(route.hold_ms),
            pools,
            split: route.pools.iter().filter(|pool| pool.weight > 0).count() > 1,
            mirror: mirror.and_then(|mirror| Some(CompiledMirror::new(mirror, pool_of(&mirror.version)?))),
            timeouts: CompiledTimeouts::new(route.timeouts),
            limits: CompiledLimits::new(route.limits),
            retries: route.retries,
            ejection: EjectionRules::new(route.ejection),
            slow_start: Duration::from_millis(route.slow_start_ms),
            tunnel_drain: Duration::from_millis(route.tunnel_drain_ms),
            counters,
            cohorts: cohorts
                .filter_map(|cohort| Some(CompiledCohort::new(cohort, pool_of(&cohort.version)?, salt)))
                .collect(),
            client_keys: ClientKeys::new(&route.client_keys),
            salt,
        }
    }

    /// The pool that a client belongs to by the weights; none only if the route has no pools.
    pub(crate) fn pool_of(&self, client: &[u8]) -> Option<usize> {
        if !self.split {
            return self.pools.iter().position(|pool| pool.weight > 0);
        }
        let point = self.salt.point(client);
        self.pools.iter().position(|pool| point < pool.ends_at)
    }
}

impl CompiledRoute {
    /// Whether a version has a share of the clients, by its weight or by a cohort.
    pub(crate) fn takes_clients(&self, version: &str) -> bool {
        let Some(index) = self.pools.iter().position(|pool| *pool.version == *version) else { return false };
        let sent_there = |cohort: &CompiledCohort| cohort.pool == index && cohort.part() != Part::None;
        self.pools[index].weight > 0 || self.cohorts.iter().any(sent_there)
    }
}

impl CompiledPool {
    fn new(pool: &Pool, ends_at: u32, counters: &RouteCounters) -> Self {
        Self {
            version: pool.version.as_str().into(),
            weight: pool.weight,
            protocol: pool.protocol,
            ends_at,
            endpoints: pool.endpoints.clone(),
            counters: counters.version(&pool.version),
        }
    }
}

impl CompiledTimeouts {
    fn new(timeouts: Timeouts) -> Self {
        Self {
            connect: Duration::from_millis(timeouts.connect_ms),
            first_byte: Duration::from_millis(timeouts.first_byte_ms),
            idle: Duration::from_millis(timeouts.idle_ms),
            total: timeouts.total_ms.map(Duration::from_millis),
        }
    }

    /// How long a request may take altogether: what the route says, or the deadline that a gRPC client has set, whichever
    /// is shorter.
    pub(crate) fn total_with(&self, grpc_deadline: Option<Duration>) -> Option<Duration> {
        self.total.into_iter().chain(grpc_deadline).min()
    }
}

impl CompiledLimits {
    fn new(limits: RouteLimits) -> Self {
        Self {
            max_body_bytes: limits.max_body_bytes,
            max_in_flight: limits.max_in_flight,
            queue: limits.queue,
            queue_wait: Duration::from_millis(limits.queue_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_of_two_deadlines_counts() {
        let total = |total_ms| CompiledTimeouts::new(Timeouts { total_ms, ..Timeouts::default() });
        let second = Duration::from_secs(1);
        assert_eq!(total(None).total_with(None), None);
        assert_eq!(total(Some(3_000)).total_with(Some(second)), Some(second));
        assert_eq!(total(Some(500)).total_with(Some(second)), Some(second / 2));
        assert_eq!(total(None).total_with(Some(second)), Some(second));
    }
}
