//! What the types cannot check.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{FULL_WEIGHT, Pool, Route, RoutingTable};

/// Why a table is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TableError {
    /// Written by a newer Pilotage.
    #[error("routing table format {found} is not known here; this edge reads formats up to {known}")]
    Format {
        /// The format of the table.
        found: u32,
        /// The newest one this edge reads.
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
    /// Two routes of the same name, two pools of the same version, or two routes for the same requests.
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

/// Refuses a table that cannot be used as a whole.
pub(super) fn table(table: &RoutingTable) -> Result<(), TableError> {
    if table.format == 0 || table.format > RoutingTable::FORMAT {
        return Err(TableError::Format { found: table.format, known: RoutingTable::FORMAT });
    }
    let mut listeners = BTreeSet::new();
    for listener in &table.listeners {
        if !listeners.insert(listener.address) {
            return Err(TableError::Duplicate { what: "listener", name: listener.address.to_string() });
        }
    }
    let mut names = BTreeSet::new();
    let mut served = BTreeSet::new();
    for route in &table.routes {
        if !names.insert(&route.name) {
            return Err(TableError::Duplicate { what: "route", name: route.name.clone() });
        }
        let hosts = if route.hosts.is_empty() { &["*".to_owned()][..] } else { &route.hosts };
        for host in hosts {
            if !served.insert((route.listen, host.clone(), &route.path)) {
                let name = format!("{}/{host}{}", route.listen, route.path);
                return Err(TableError::Duplicate { what: "address", name });
            }
        }
        self::route(route)?;
    }
    Ok(())
}

fn route(route: &Route) -> Result<(), TableError> {
    if route.listen.port() == 0 {
        return Err(TableError::Port { route: route.name.clone() });
    }
    let mut versions = BTreeSet::new();
    for Pool { version, .. } in &route.pools {
        if http::HeaderValue::from_str(version).is_err() {
            return Err(TableError::Version { route: route.name.clone(), version: version.clone() });
        }
        if !versions.insert(version) {
            return Err(TableError::Duplicate { what: "version", name: version.clone() });
        }
    }
    let sum: u64 = route.pools.iter().map(|pool| u64::from(pool.weight)).sum();
    if !route.pools.is_empty() && sum != u64::from(FULL_WEIGHT) {
        return Err(TableError::Weights { route: route.name.clone(), sum });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::{Pool, Protocol, Route, RoutingTable};
    use super::*;
    use std::net::SocketAddr;

    fn pool(version: &str, weight: u32) -> Pool {
        Pool { version: version.to_owned(), weight, protocol: Protocol::Http1, endpoints: Vec::new() }
    }

    fn route(name: &str, port: u16, pools: Vec<Pool>) -> Route {
        Route { pools, ..Route::new(name, SocketAddr::from(([127, 0, 0, 1], port))) }
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
        let newer = RoutingTable { format: 3, ..RoutingTable::empty() }.validate();
        assert_eq!(newer, Err(TableError::Format { found: 3, known: 2 }));
    }
}
