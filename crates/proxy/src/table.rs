//! The routing table: what the control plane hands to the edge, whole, and the edge keeps on disk.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Weights are in hundredths of a percent; those of one route add up to this.
pub const FULL_WEIGHT: u32 = 10_000;

/// Everything the edge needs to know, replaced as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingTable {
    /// The version of this format; see [`RoutingTable::FORMAT`].
    pub format: u32,
    /// Rises with every table; a table with a lower epoch than the one in use is refused.
    pub epoch: u64,
    /// One entry for each served workload.
    pub routes: Vec<Route>,
}

/// One served workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// What the route is called, for counters and messages: `environment/service`.
    pub name: String,
    /// The address on which it is served.
    pub listen: SocketAddr,
    /// The versions that share its traffic. The order is that of the split: a client whose hash falls below the first
    /// pool's weight goes to the first, and so on, so that raising a weight moves clients only one way.
    pub pools: Vec<Pool>,
    /// How long a request waits while no endpoint can take it, in milliseconds, before it is answered with 503.
    pub hold_ms: u64,
}

/// The instances of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// The version, for counters and for the `Pilotage-Version` response header.
    pub version: String,
    /// Its share of the clients, in hundredths of a percent.
    pub weight: u32,
    /// Where its ready instances are.
    pub endpoints: Vec<Endpoint>,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// The instance's name.
    pub instance: String,
    /// Where it listens.
    pub address: SocketAddr,
}

/// Why a table is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TableError {
    /// Written by a newer Pilotage.
    #[error("routing table format {found} is not known here; this edge reads format {known}")]
    Format {
        /// The format of the table.
        found: u32,
        /// The one this edge reads.
        known: u32,
    },
    /// The weights of a route do not add up.
    #[error("route `{route}`: the weights add up to {sum}, not to {FULL_WEIGHT}")]
    Weights {
        /// The route's name.
        route: String,
        /// The sum found.
        sum: u64,
    },
    /// Two routes of the same name, two pools of the same version, or two routes on one address.
    #[error("{what} `{name}` appears twice")]
    Duplicate {
        /// What appears twice.
        what: &'static str,
        /// Its name.
        name: String,
    },
    /// Each worker would listen on a port of its own.
    #[error("route `{route}` listens on port 0; choose a port before handing the table to the edge")]
    Port {
        /// The route's name.
        route: String,
    },
    /// The version goes into a response header.
    #[error("route `{route}`: version {version:?} has characters that a header cannot carry")]
    Version {
        /// The route's name.
        route: String,
        /// The version.
        version: String,
    },
}

impl RoutingTable {
    /// The format written and read by this version.
    pub const FORMAT: u32 = 1;

    /// A table without routes.
    pub fn empty() -> Self {
        Self { format: Self::FORMAT, epoch: 0, routes: Vec::new() }
    }

    /// Checks what the types cannot: format, ports, weights, and names that appear once.
    pub fn validate(&self) -> Result<(), TableError> {
        if self.format != Self::FORMAT {
            return Err(TableError::Format { found: self.format, known: Self::FORMAT });
        }
        let mut names = BTreeSet::new();
        let mut addresses = BTreeSet::new();
        for route in &self.routes {
            if !names.insert(&route.name) {
                return Err(TableError::Duplicate { what: "route", name: route.name.clone() });
            }
            if !addresses.insert(route.listen) {
                return Err(TableError::Duplicate { what: "address", name: route.listen.to_string() });
            }
            route.validate()?;
        }
        Ok(())
    }
}

impl Route {
    fn validate(&self) -> Result<(), TableError> {
        if self.listen.port() == 0 {
            return Err(TableError::Port { route: self.name.clone() });
        }
        let mut versions = BTreeSet::new();
        for Pool { version, .. } in &self.pools {
            if http::HeaderValue::from_str(version).is_err() {
                return Err(TableError::Version { route: self.name.clone(), version: version.clone() });
            }
            if !versions.insert(version) {
                return Err(TableError::Duplicate { what: "version", name: version.clone() });
            }
        }
        let sum: u64 = self.pools.iter().map(|pool| u64::from(pool.weight)).sum();
        if !self.pools.is_empty() && sum != u64::from(FULL_WEIGHT) {
            return Err(TableError::Weights { route: self.name.clone(), sum });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(version: &str, weight: u32) -> Pool {
        Pool { version: version.to_owned(), weight, endpoints: Vec::new() }
    }

    fn route(name: &str, port: u16, pools: Vec<Pool>) -> Route {
        Route { name: name.to_owned(), listen: SocketAddr::from(([127, 0, 0, 1], port)), pools, hold_ms: 0 }
    }

    fn verdict(routes: Vec<Route>) -> Result<(), TableError> {
        RoutingTable { routes, ..RoutingTable::empty() }.validate()
    }

    #[test]
    fn sound_tables_pass() {
        assert_eq!(verdict(vec![]), Ok(()));
        assert_eq!(
            verdict(vec![route("a", 1, vec![]), route("b", 2, vec![pool("1", 1), pool("2", 9_999)])]),
            Ok(())
        );
    }

    #[test]
    fn each_fault_is_named() {
        assert!(matches!(verdict(vec![route("a", 0, vec![])]), Err(TableError::Port { .. })));
        assert!(matches!(
            verdict(vec![route("a", 1, vec![pool("1\n", FULL_WEIGHT)])]),
            Err(TableError::Version { .. })
        ));
        let weights = verdict(vec![route("a", 1, vec![pool("1", u32::MAX), pool("2", u32::MAX)])]);
        assert!(matches!(weights, Err(TableError::Weights { sum: 8_589_934_590, .. })));
        for (routes, what) in [
            (vec![route("a", 1, vec![]), route("a", 2, vec![])], "route"),
            (vec![route("a", 1, vec![]), route("b", 1, vec![])], "address"),
            (vec![route("a", 1, vec![pool("1", 0), pool("1", FULL_WEIGHT)])], "version"),
        ] {
            assert!(
                matches!(verdict(routes), Err(TableError::Duplicate { what: found, .. }) if found == what)
            );
        }
        let newer = RoutingTable { format: 2, ..RoutingTable::empty() }.validate();
        assert_eq!(newer, Err(TableError::Format { found: 2, known: 1 }));
    }
}
