//! The table as a whole.

use std::collections::HashSet;

use super::TableError;
use super::listener::listener;
use super::route::route;
use crate::table::{Route, RoutingTable};

/// Refuses a table that cannot be used as a whole.
pub(in crate::table) fn table(table: &RoutingTable) -> Result<(), TableError> {
    if table.format == 0 || table.format > RoutingTable::FORMAT {
        return Err(TableError::Format { found: table.format, known: RoutingTable::FORMAT });
    }
    listeners(table)?;
    routes(table)
}

fn listeners(table: &RoutingTable) -> Result<(), TableError> {
    let mut addresses = HashSet::new();
    for one in &table.listeners {
        let address = one.address;
        if !addresses.insert(address) {
            return Err(TableError::Duplicate { what: "listener", name: address.to_string() });
        }
        listener(one).map_err(|fault| TableError::Listener { address, fault })?;
    }
    Ok(())
}

fn routes(table: &RoutingTable) -> Result<(), TableError> {
    let mut names = HashSet::with_capacity(table.routes.len());
    let mut served = HashSet::with_capacity(table.routes.len());
    for one in &table.routes {
        if !names.insert(&one.name) {
            return Err(TableError::Duplicate { what: "route", name: one.name.clone() });
        }
        route(one).map_err(|fault| TableError::Route { route: one.name.clone(), fault })?;
        for host in hosts(one) {
            if !served.insert((one.listen, host, &one.path)) {
                let name = format!("{}/{host}{}", one.listen, one.path);
                return Err(TableError::Duplicate { what: "address", name });
            }
        }
    }
    Ok(())
}

/// The hosts that a route is served for, with a star for all others.
fn hosts(route: &Route) -> impl Iterator<Item = &str> {
    let others = route.hosts.is_empty().then_some("*");
    route.hosts.iter().map(String::as_str).chain(others)
}
