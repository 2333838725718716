//! Which route of an address a request belongs to: by host, then by the longest path.
//!
//! The most specific host decides alone: a host that is named has only the routes that name it, so that what is meant
//! for every other host is never served on it by surprise.

use std::collections::HashMap;

use super::host::CanonicalHost;
use super::path::{AmbiguousPath, canonical};

/// The place of a route in its table, for arrays that lie beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RouteId(usize);

impl RouteId {
    pub(super) fn new(index: usize) -> Self {
        Self(index)
    }

    /// The index in the table's routes.
    pub(crate) fn index(self) -> usize {
        self.0
    }
}

/// Why a request belongs to no route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoRoute {
    /// Nobody serves this host and path: 404.
    Unknown,
    /// Services differ on which path this is: 400.
    AmbiguousPath,
}

/// The routes of one address.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    exact: HashMap<Box<[u8]>, Paths>,
    /// By what follows the star's label.
    wildcard: HashMap<Box<[u8]>, Paths>,
    any: Paths,
}

impl Hosts {
    /// Makes room for so many routes.
    pub(super) fn reserve(&mut self, routes: usize) {
        self.exact.reserve(routes);
    }

    /// Adds a route. [`Hosts::finish`] comes after the last.
    pub(super) fn add(&mut self, hosts: &[String], path: &str, route: RouteId) {
        if hosts.is_empty() {
            self.any.add(path, route);
        }
        for host in hosts {
            let (map, key) = match host.strip_prefix("*.") {
                Some(parent) => (&mut self.wildcard, parent),
                None => (&mut self.exact, host.as_str()),
            };
            map.entry(key.as_bytes().into()).or_default().add(path, route);
        }
    }

    pub(super) fn finish(&mut self) {
        self.any.finish();
        self.exact.values_mut().chain(self.wildcard.values_mut()).for_each(Paths::finish);
    }

    pub(super) fn find(&self, host: &[u8], target: &[u8]) -> Result<RouteId, NoRoute> {
        self.paths(host).find(target)
    }

    fn paths(&self, host: &[u8]) -> &Paths {
        if self.exact.is_empty() && self.wildcard.is_empty() {
            return &self.any;
        }
        let Some(host) = CanonicalHost::new(host) else { return &self.any };
        let by_star = || self.wildcard.get(host.parent()?);
        self.exact.get(host.as_bytes()).or_else(by_star).unwrap_or(&self.any)
    }
}

/// The routes of one host.
#[derive(Debug, Default)]
struct Paths {
    /// In the order of their bytes.
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Without a slash at the end, so that the root is empty.
    path: Box<[u8]>,
    /// The entry with the longest path that this one's begins with.
    shorter: Option<usize>,
    route: RouteId,
}

impl Paths {
    fn add(&mut self, path: &str, route: RouteId) {
        let path = path.trim_end_matches('/').as_bytes().into();
        self.entries.push(Entry { path, shorter: None, route });
    }

    fn finish(&mut self) {
        self.entries.sort_by(|one, other| one.path.cmp(&other.path));
        for index in 1..self.entries.len() {
            // In this order it is the entry before, or one that that begins with.
            let mut shorter = Some(index - 1);
            while let Some(at) = shorter
                && !self.entries[index].path.starts_with(&self.entries[at].path)
            {
                shorter = self.entries[at].shorter;
            }
            self.entries[index].shorter = shorter;
        }
    }

    fn find(&self, target: &[u8]) -> Result<RouteId, NoRoute> {
        if let [Entry { path, route, .. }] = self.entries.as_slice()
            && path.is_empty()
        {
            // Everything on this host is for one route: how a path is read is none of our business.
            return Ok(*route);
        }
        let target = canonical(target).map_err(|AmbiguousPath| NoRoute::AmbiguousPath)?;
        self.longest(&target).ok_or(NoRoute::Unknown)
    }

    /// Whatever the path begins with is in the chain of the last entry that does not come after it.
    fn longest(&self, path: &[u8]) -> Option<RouteId> {
        let after = self.entries.partition_point(|entry| *entry.path <= *path);
        let mut candidate = after.checked_sub(1);
        while let Some(at) = candidate {
            let entry = &self.entries[at];
            if entry.takes(path) {
                return Some(entry.route);
            }
            candidate = entry.shorter;
        }
        None
    }
}

impl Entry {
    /// Whether a path begins with this one's segments.
    fn takes(&self, path: &[u8]) -> bool {
        path.strip_prefix(&*self.path).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hosts(routes: &[(&[&str], &str)]) -> Hosts {
        let mut hosts = Hosts::default();
        for (index, (names, path)) in routes.iter().enumerate() {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            hosts.add(&names, path, RouteId(index));
        }
        hosts.finish();
        hosts
    }

    fn found(hosts: &Hosts, host: &str, target: &str) -> Option<usize> {
        hosts.find(host.as_bytes(), target.as_bytes()).ok().map(RouteId::index)
    }

    #[test]
    fn the_most_specific_host_decides_alone() {
        let hosts = hosts(&[
            (&["shop.example.com"], "/cart"),
            (&["*.example.com"], "/"),
            (&[], "/"),
            (&["other.test", "*.example.com"], "/help"),
        ]);
        assert_eq!(found(&hosts, "SHOP.example.com:80", "/cart/1"), Some(0));
        assert_eq!(found(&hosts, "shop.example.com", "/"), None, "not the wildcard's");
        assert_eq!(found(&hosts, "blog.example.com", "/"), Some(1));
        assert_eq!(found(&hosts, "blog.example.com.", "/help"), Some(3));
        assert_eq!(found(&hosts, "a.blog.example.com", "/"), Some(2), "one label, not two");
        assert_eq!(found(&hosts, "example.com", "/"), Some(2), "one label, not none");
        assert_eq!(found(&hosts, "other.test", "/"), None);
        assert_eq!(found(&hosts, "", "/"), Some(2));
        assert_eq!(found(&hosts, &"a".repeat(300), "/"), Some(2));
    }

    #[test]
    fn the_longest_path_decides_by_whole_segments() {
        let hosts =
            hosts(&[(&[], "/shop"), (&[], "/shop/cart"), (&[], "/shop-old"), (&[], "/shop/cart/pay/now")]);
        for (target, route) in [
            ("/shop", Some(0)),
            ("/shop/", Some(0)),
            ("/shop?cart", Some(0)),
            ("/shop/cartoon", Some(0)),
            ("/shop/cart/pay/later", Some(1)),
            ("/shop/cart/pay/now", Some(3)),
            ("/shop-old/x", Some(2)),
            ("/shop-older", None),
            ("/shopping", None),
            ("/", None),
            ("*", None),
        ] {
            assert_eq!(found(&hosts, "a", target), route, "{target}");
        }
    }

    #[test]
    fn a_path_cannot_be_written_past_a_rule() {
        let hosts = hosts(&[(&[], "/"), (&[], "/admin")]);
        for target in ["//admin", "/%61dmin", "/./admin", "/admin%2Fusers", "/admin;x=1", "/\\admin"] {
            assert_eq!(found(&hosts, "a", target), Some(1), "{target}");
        }
        for target in ["/public/../admin", "/public/%2e%2e/admin", "/public/..%2Fadmin", "/public/..;/admin"]
        {
            assert_eq!(hosts.find(b"a", target.as_bytes()), Err(NoRoute::AmbiguousPath), "{target}");
        }
    }

    #[test]
    fn a_host_with_one_route_has_no_say_in_paths() {
        let hosts = hosts(&[(&[], "/")]);
        assert_eq!(found(&hosts, "a", "/objects/../x"), Some(0));
    }

    /// Looks at every route, as a reader of the rules would.
    fn scanned(routes: &[(Vec<String>, String)], host: &str, path: &str) -> Option<usize> {
        let rank = |names: &[String]| {
            let by_star = |name: &String| {
                name.strip_prefix("*.")
                    .is_some_and(|parent| host.split_once('.').is_some_and(|(_, rest)| rest == parent))
            };
            if names.iter().any(|name| name == host) {
                2
            } else if names.iter().any(by_star) {
                1
            } else {
                u8::from(!names.is_empty()) * u8::MAX
            }
        };
        let ranks = || routes.iter().map(|(names, _)| rank(names)).filter(|rank| *rank != u8::MAX);
        let best = ranks().max()?;
        let segments = |path: &str| {
            path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let asked = segments(path);
        routes
            .iter()
            .enumerate()
            .filter(|(_, (names, own))| rank(names) == best && asked.starts_with(&segments(own)))
            .max_by_key(|(_, (_, own))| segments(own).len())
            .map(|(index, _)| index)
    }

    fn path() -> impl Strategy<Value = String> {
        proptest::collection::vec(prop_oneof!["a", "b", "a-", "ab", "a0"], 0..4)
            .prop_map(|parts| format!("/{}", parts.join("/")))
    }

    fn host() -> impl Strategy<Value = String> {
        prop_oneof!["x\\.test", "y\\.test", "z\\.x\\.test", "test"]
    }

    proptest! {
        #[test]
        fn lookup_finds_what_a_scan_finds(
            routes in proptest::collection::btree_set(
                (proptest::option::of(prop_oneof![host(), "\\*\\.test", "\\*\\.x\\.test"]), path()), 0..40,
            ),
            asked in proptest::collection::vec((host(), path()), 1..20),
        ) {
            let routes: Vec<(Vec<String>, String)> =
                routes.into_iter().map(|(host, path)| (host.into_iter().collect(), path)).collect();
            let mut hosts = Hosts::default();
            for (index, (names, path)) in routes.iter().enumerate() {
                hosts.add(names, path, RouteId(index));
            }
            hosts.finish();
            for (host, path) in asked {
                prop_assert_eq!(found(&hosts, &host, &path), scanned(&routes, &host, &path), "{} {}", host, path);
            }
        }
    }
}
