//! A routing table prepared for workers: every question a request asks of it is answered without looking at all routes.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

use super::lookup::Hosts;
use super::{CompiledRoute, NoRoute, Registry, RouteId};
use crate::{Listener, Network, Route, RoutingTable};

/// A table that workers can use. Immutable; replaced as a whole.
#[derive(Debug)]
pub(crate) struct CompiledTable {
    /// The table as it was handed in.
    pub(crate) source: Arc<RoutingTable>,
    /// In the order of the table, so that a [`RouteId`] is an index here.
    pub(crate) routes: Vec<Arc<CompiledRoute>>,
    by_name: HashMap<Arc<str>, RouteId>,
    listeners: BTreeMap<SocketAddr, CompiledListener>,
}

/// How one address is served.
#[derive(Debug, Default)]
pub(crate) struct CompiledListener {
    /// Answers every request with a redirect to `https` on this port.
    pub(crate) redirect_to_https: Option<u16>,
    /// Proxies in front of the edge whose forwarded headers are believed.
    pub(crate) trusted: Vec<Network>,
    hosts: Hosts,
}

impl CompiledTable {
    /// Prepares a validated table. Routes that have not changed since the table before are taken over as they are, so
    /// that a worker sees by their pointers what it need not look at.
    pub(crate) fn new(source: RoutingTable, before: Option<&Self>, registry: &Registry) -> Self {
        let compile = |route: &Route| match before.and_then(|before| before.known(&route.name)) {
            Some((same, compiled)) if same == route => Arc::clone(compiled),
            Some((_, earlier)) => Arc::new(CompiledRoute::new(route, Some(earlier), registry)),
            None => Arc::new(CompiledRoute::new(route, None, registry)),
        };
        let routes: Vec<_> = source.routes.iter().map(compile).collect();
        let name =
            |(index, route): (usize, &Arc<CompiledRoute>)| (Arc::clone(&route.name), RouteId::new(index));
        Self {
            by_name: routes.iter().enumerate().map(name).collect(),
            routes,
            listeners: listeners(&source),
            source: Arc::new(source),
        }
    }

    /// The route of this name.
    pub(crate) fn named(&self, name: &str) -> Option<RouteId> {
        self.by_name.get(name).copied()
    }

    /// The route of this name, as it was handed in and as it was prepared.
    fn known(&self, name: &str) -> Option<(&Route, &Arc<CompiledRoute>)> {
        let index = self.named(name)?.index();
        Some((&self.source.routes[index], &self.routes[index]))
    }

    /// The route that a request to an address belongs to.
    pub(crate) fn find(&self, listen: SocketAddr, host: &[u8], target: &[u8]) -> Result<RouteId, NoRoute> {
        self.listener(listen).ok_or(NoRoute::Unknown)?.hosts.find(host, target)
    }

    /// How an address is served; `None` if the table has nothing for it.
    pub(crate) fn listener(&self, listen: SocketAddr) -> Option<&CompiledListener> {
        self.listeners.get(&listen)
    }
}

fn listeners(table: &RoutingTable) -> BTreeMap<SocketAddr, CompiledListener> {
    let mut listeners: BTreeMap<_, _> =
        table.listeners.iter().map(|listener| (listener.address, CompiledListener::new(listener))).collect();
    for (index, route) in table.routes.iter().enumerate() {
        let listener = listeners.entry(route.listen).or_default();
        if index == 0 {
            // Mostly they all have the same address.
            listener.hosts.reserve(table.routes.len());
        }
        listener.hosts.add(&route.hosts, &route.path, RouteId::new(index));
    }
    listeners.values_mut().for_each(|listener| listener.hosts.finish());
    listeners
}

impl CompiledListener {
    fn new(listener: &Listener) -> Self {
        Self {
            redirect_to_https: listener.redirect_to_https,
            trusted: listener.trusted.clone(),
            hosts: Hosts::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FULL_WEIGHT, Pool, Protocol};

    fn listen(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn routes(count: usize) -> RoutingTable {
        let route = |index| Route {
            hosts: vec![format!("service-{index}.example.com")],
            pools: vec![Pool {
                version: "1.0.0".to_owned(),
                weight: FULL_WEIGHT,
                protocol: Protocol::Http1,
                endpoints: Vec::new(),
            }],
            ..Route::new(format!("production/service-{index}"), listen(80))
        };
        RoutingTable { routes: (0..count).map(route).collect(), ..RoutingTable::empty() }
    }

    #[test]
    fn routes_are_found_by_address_and_host() {
        let mut source = routes(3);
        source.routes[2].listen = listen(81);
        let table = CompiledTable::new(source, None, &Registry::new(1, 0));
        let find = |port, host: &str| table.find(listen(port), host.as_bytes(), b"/").map(RouteId::index);
        assert_eq!(find(80, "service-1.example.com"), Ok(1));
        assert_eq!(find(80, "service-2.example.com"), Err(NoRoute::Unknown));
        assert_eq!(find(81, "service-2.example.com"), Ok(2));
        assert_eq!(find(82, "service-2.example.com"), Err(NoRoute::Unknown));
    }

    #[test]
    fn listeners_are_as_the_table_says_even_without_routes() {
        let redirecting = Listener { redirect_to_https: Some(443), ..Listener::plain(listen(80)) };
        let trusting =
            Listener { trusted: vec!["10.0.0.0/8".parse().unwrap()], ..Listener::plain(listen(81)) };
        let mut source = routes(1);
        source.routes[0].listen = listen(82);
        source.listeners = vec![redirecting, trusting];
        let table = CompiledTable::new(source, None, &Registry::new(1, 0));
        assert_eq!(table.listener(listen(80)).unwrap().redirect_to_https, Some(443));
        assert_eq!(table.listener(listen(81)).unwrap().trusted.len(), 1);
        let implied = table.listener(listen(82)).unwrap();
        assert!(implied.trusted.is_empty() && implied.redirect_to_https.is_none());
        assert!(table.listener(listen(83)).is_none());
    }

    #[test]
    fn unchanged_routes_are_taken_over_wherever_they_stand() {
        let registry = Registry::new(1, 0);
        let before = CompiledTable::new(routes(3), None, &registry);
        let mut next = routes(3);
        next.routes.swap(0, 2);
        next.routes[1].hold_ms = 5;
        let after = CompiledTable::new(next, Some(&before), &registry);
        assert!(Arc::ptr_eq(&after.routes[0], &before.routes[2]));
        assert!(!Arc::ptr_eq(&after.routes[1], &before.routes[1]));
        assert!(Arc::ptr_eq(&after.routes[2], &before.routes[0]));
    }
}
