//! A routing table prepared for workers: looked up by address, weights added up, counters at hand.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::{Registry, RouteCounters, VersionCounters, split_point};
use crate::{Endpoint, Pool, Retries, Route, RouteLimits, RoutingTable, Timeouts};

/// A table that workers can use. Immutable; replaced as a whole.
#[derive(Debug)]
pub(crate) struct CompiledTable {
    /// The table as it was handed in.
    pub(crate) source: Arc<RoutingTable>,
    pub(crate) routes: HashMap<SocketAddr, Arc<CompiledRoute>>,
}

#[derive(Debug)]
pub(crate) struct CompiledRoute {
    pub(crate) name: String,
    pub(crate) hold: Duration,
    pub(crate) timeouts: Timeouts,
    pub(crate) limits: RouteLimits,
    pub(crate) retries: Retries,
    pub(crate) pools: Vec<CompiledPool>,
    /// Whether two versions share the clients, so that it matters who a client is.
    pub(crate) split: bool,
    pub(crate) counters: Arc<RouteCounters>,
}

#[derive(Debug)]
pub(crate) struct CompiledPool {
    /// The value of the `Pilotage-Version` response header.
    pub(crate) version: HeaderValue,
    pub(crate) weight: u32,
    /// Where the pool ends on the line of clients: the weights up to and with its own.
    ends_at: u32,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) counters: Arc<VersionCounters>,
}

impl CompiledTable {
    /// Prepares a validated table.
    pub(crate) fn new(source: RoutingTable, registry: &Registry) -> Self {
        let routes = source
            .routes
            .iter()
            .map(|route| (route.listen, Arc::new(CompiledRoute::new(route, registry))))
            .collect();
        Self { source: Arc::new(source), routes }
    }
}

impl CompiledRoute {
    fn new(route: &Route, registry: &Registry) -> Self {
        let counters = registry.route(&route.name);
        let mut ends_at = 0;
        let pools = route
            .pools
            .iter()
            .map(|pool| {
                ends_at += pool.weight;
                CompiledPool::new(pool, ends_at, &counters)
            })
            .collect();
        Self {
            name: route.name.clone(),
            hold: Duration::from_millis(route.hold_ms),
            timeouts: route.timeouts,
            limits: route.limits,
            retries: route.retries,
            pools,
            split: route.pools.iter().filter(|pool| pool.weight > 0).count() > 1,
            counters,
        }
    }

    /// The pool that a client belongs to; none only if the route has no pools.
    pub(crate) fn pool_of(&self, client: &[u8]) -> Option<usize> {
        if !self.split {
            return self.pools.iter().position(|pool| pool.weight > 0);
        }
        let point = split_point(&self.name, client);
        self.pools.iter().position(|pool| point < pool.ends_at)
    }
}

impl CompiledPool {
    fn new(pool: &Pool, ends_at: u32, counters: &RouteCounters) -> Self {
        Self {
            version: HeaderValue::from_str(&pool.version)
                .unwrap_or_else(|_| HeaderValue::from_static("unprintable")),
            weight: pool.weight,
            ends_at,
            endpoints: pool.endpoints.clone(),
            counters: counters.version(&pool.version),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::FULL_WEIGHT;

    fn route(weights: &[u32]) -> CompiledRoute {
        let pools = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| Pool {
                version: format!("{index}.0.0"),
                weight: *weight,
                protocol: crate::Protocol::Http1,
                endpoints: vec![],
            })
            .collect();
        let listen = SocketAddr::from(([127, 0, 0, 1], 80));
        let route = Route { pools, ..Route::new("production/web", listen) };
        CompiledRoute::new(&route, &Registry::new(1, 0))
    }

    proptest! {
        #[test]
        fn once_new_always_new_while_the_weight_rises(
            client in proptest::collection::vec(any::<u8>(), 1..40),
            mut weights in proptest::collection::vec(0..=FULL_WEIGHT, 2..12),
        ) {
            weights.sort_unstable();
            let mut moved = false;
            for weight in weights {
                let new = route(&[weight, FULL_WEIGHT - weight]).pool_of(&client) == Some(0);
                prop_assert!(new || !moved, "the client came back at weight {weight}");
                moved = new;
            }
        }

        #[test]
        fn a_third_version_moves_nobody_between_the_other_two(
            client in proptest::collection::vec(any::<u8>(), 1..40),
            newest in 0..=5_000u32,
            middle in 0..=5_000u32,
        ) {
            let before = route(&[0, middle, FULL_WEIGHT - middle]).pool_of(&client);
            let after = route(&[newest, middle, FULL_WEIGHT - newest - middle]).pool_of(&client);
            prop_assert!(after <= before, "from {before:?} to {after:?}");
        }

        #[test]
        fn weight_zero_takes_nobody(client in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(route(&[0, FULL_WEIGHT]).pool_of(&client), Some(1));
            prop_assert_eq!(route(&[FULL_WEIGHT, 0]).pool_of(&client), Some(0));
            prop_assert_eq!(route(&[0, 5_000, 0, 5_000, 0]).pool_of(&client).map(|pool| pool % 2), Some(1));
        }

        #[test]
        fn shares_keep_to_the_weight(weight in 0..=FULL_WEIGHT, seed in any::<u32>()) {
            const CLIENTS: u32 = 4_000;
            let route = route(&[weight, FULL_WEIGHT - weight]);
            let taken = (0..CLIENTS).filter(|n| route.pool_of(format!("{seed}-{n}").as_bytes()) == Some(0)).count();
            let share = f64::from(weight) / f64::from(FULL_WEIGHT);
            let deviation = (f64::from(CLIENTS) * share * (1.0 - share)).sqrt();
            let off = (taken as f64 - f64::from(CLIENTS) * share).abs();
            // Six standard deviations and a client: a chance of about one in a billion for a sound hash.
            prop_assert!(off <= 6.0 * deviation + 1.0, "{taken} of {CLIENTS} at weight {weight}");
        }
    }

    #[test]
    fn a_route_without_pools_takes_nobody() {
        assert_eq!(route(&[]).pool_of(b"alice"), None);
    }
}
