//! Which route a request belongs to, whatever its path is written like.

use std::net::SocketAddr;

use crate::routing::{CompiledTable, NoRoute, Registry, RouteId};
use crate::{Route, RoutingTable};

const OPEN: usize = 0;
const ADMIN: usize = 1;

/// A host and, after a line feed, a target. If any of many ways to read a path leads under `/admin`, the request belongs to
/// the route with that path, or to none; and case, port and last dot of a host do not matter.
pub fn route_lookup(bytes: &[u8]) {
    let (host, target) = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&bytes[..end], &bytes[end + 1..]),
        None => (&b"shop.test"[..], bytes),
    };
    let table = table();
    let listen = table.source.routes[OPEN].listen;
    let found = table.find(listen, host, target);
    if found.map(RouteId::index) == Ok(OPEN) {
        for reader in Reader::all() {
            assert!(!reader.leads_under_admin(target), "{reader:?} gets past the rule");
        }
    }
    assert_eq!(found, table.find(listen, &host.to_ascii_uppercase(), target), "case matters");
    if !host.contains(&b':') && !host.ends_with(b".") {
        assert_eq!(found, table.find(listen, &[host, b".:443"].concat(), target), "the port matters");
    }
    if found == Err(NoRoute::AmbiguousPath) {
        let decoded = decoded(target);
        assert!(
            decoded.contains(&0) || decoded.windows(2).any(|pair| pair == b".."),
            "there is one way to read it"
        );
    }
}

fn table() -> CompiledTable {
    let listen = SocketAddr::from(([127, 0, 0, 1], 80));
    let hosts = vec!["shop.test".to_owned(), "*.shop.test".to_owned()];
    let open = Route { hosts: hosts.clone(), ..Route::new("open", listen) };
    let admin = Route { hosts, path: "/admin".to_owned(), ..Route::new("admin", listen) };
    debug_assert_eq!((OPEN, ADMIN), (0, 1));
    let table = RoutingTable { routes: vec![open, admin], ..RoutingTable::empty() };
    CompiledTable::new(table, None, &Registry::new(1, 0))
}

/// How a server may read a path.
#[derive(Debug, Clone, Copy)]
struct Reader {
    decodes: bool,
    backslash_separates: bool,
    leaves_out_parameters: bool,
    merges_slashes: bool,
    resolves_dots: bool,
}

impl Reader {
    fn all() -> impl Iterator<Item = Self> {
        (0..32u8).map(|bits| Self {
            decodes: bits & 1 != 0,
            backslash_separates: bits & 2 != 0,
            leaves_out_parameters: bits & 4 != 0,
            merges_slashes: bits & 8 != 0,
            resolves_dots: bits & 16 != 0,
        })
    }

    fn leads_under_admin(self, target: &[u8]) -> bool {
        let end = target.iter().position(|byte| matches!(byte, b'?' | b'#'));
        let path = &target[..end.unwrap_or(target.len())];
        let path = if self.decodes { decoded(path) } else { path.to_vec() };
        let separates = |byte: &u8| *byte == b'/' || (*byte == b'\\' && self.backslash_separates);
        let mut segments: Vec<&[u8]> = Vec::new();
        for segment in path.split(separates).skip(1) {
            let parameters = segment.iter().position(|byte| *byte == b';');
            let segment = match parameters.filter(|_| self.leaves_out_parameters) {
                Some(at) => &segment[..at],
                None => segment,
            };
            match segment {
                b"" if self.merges_slashes => {}
                b"." if self.resolves_dots => {}
                b".." if self.resolves_dots => {
                    segments.pop();
                }
                segment => segments.push(segment),
            }
        }
        path.starts_with(b"/") && segments.first() == Some(&&b"admin"[..])
    }
}

/// Without its escapes, once.
fn decoded(path: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let value = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        decoded.push(value.unwrap_or(*first));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    decoded
}
