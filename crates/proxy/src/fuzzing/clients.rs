//! What requests say of their clients: forwarded headers, the signed cookie, deadlines.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::routing::{
    CLIENT_COOKIE, CompiledTable, CookieKey, Cookies, Origin, Peer, Registry, Sample, grpc_timeout as read,
};
use crate::{FULL_WEIGHT, Network, Pool, Protocol, Route, RoutingTable};

/// Header lines, each after a letter: `f` for `Forwarded`, `a`, `p` and `h` for the address, protocol and host of
/// `X-Forwarded-`. A stranger is not believed at all. Of what a trusted proxy says, we tell only what a second edge behind us
/// reads as just the same, and nothing that would end a header.
pub fn forwarded(bytes: &[u8]) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    let of = |letter: u8| lines.iter().filter_map(move |line| line.strip_prefix(&[letter])).collect();
    let values = |name: &str| -> Vec<&[u8]> {
        match name {
            "forwarded" => of(b'f'),
            "x-forwarded-for" => of(b'a'),
            "x-forwarded-proto" => of(b'p'),
            _ => of(b'h'),
        }
    };
    let trusted: [Network; 2] = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().expect("a network"));
    let stranger = peer("203.0.113.9");
    let origin = Origin::of(&stranger, &trusted, values);
    assert_eq!(
        Told::by(&origin, &stranger),
        Told::by(&Origin::of(&stranger, &[], |_| Vec::new()), &stranger)
    );

    let first = peer("10.0.0.1");
    let told = Told::by(&Origin::of(&first, &trusted, values), &first);
    let second = peer("10.0.0.2");
    let again = Origin::of(&second, &trusted, |name| match name {
        "forwarded" => vec![&told.forwarded],
        "x-forwarded-for" => vec![&told.addresses],
        "x-forwarded-proto" => vec![told.scheme.as_bytes()],
        _ => vec![&told.host],
    });
    let again = Told::by(&again, &second);
    assert_eq!(again.addresses, [&told.addresses[..], b", 10.0.0.2"].concat(), "a second edge sees others");
    // A proxy that names no client has told of none, and the second edge is free to believe its neighbour instead.
    if told.addresses.contains(&b',') {
        assert_eq!((again.scheme, again.host), (told.scheme, told.host), "a second edge is told otherwise");
    }
}

fn peer(address: &str) -> Peer {
    Peer::new(address.parse().expect("an address"), false)
}

/// What services are told.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    forwarded: Vec<u8>,
    addresses: Vec<u8>,
    scheme: &'static str,
    host: Vec<u8>,
}

impl Told {
    fn by(origin: &Origin, peer: &Peer) -> Self {
        let (mut forwarded, mut addresses) = (Vec::new(), Vec::new());
        origin.write_forwarded(peer, b"edge.test:80", &mut forwarded);
        origin.write_forwarded_for(peer, &mut addresses);
        let host = origin.host(b"edge.test:80").to_vec();
        for value in [&forwarded, &addresses, &host] {
            assert!(value.iter().all(|byte| (b' '..=b'~').contains(byte)), "it could end a header");
        }
        Self { forwarded, addresses, scheme: origin.scheme(), host }
    }
}

/// A `Cookie` header. A client is known only by a cookie that we have signed; anybody else is given one.
pub fn client_cookie(line: &[u8]) {
    let asked = |cookie: &[u8]| Sample::new().with("cookie", cookie);
    let (table, key) = (split_in_two(), Zeroizing::new([3; CookieKey::LENGTH]));
    let cookies = Cookies::new(Arc::new(CookieKey::new(key)));
    let given = |cookie: &[u8], draw| table.routes[0].assign(&asked(cookie), &cookies, || draw).cookie;
    let signed = given(b"", 7).expect("a client without a cookie is given one");
    assert_eq!(given(&signed, 8), None, "a client is known again");
    if given(line, 7).is_some() {
        return;
    }
    let name = format!("{CLIENT_COOKIE}=");
    let ids = line.windows(name.len() + 16).filter_map(|part| part.strip_prefix(name.as_bytes()));
    let ids = ids.filter_map(|id| u64::from_str_radix(std::str::from_utf8(id).ok()?, 16).ok());
    let ours = ids.filter_map(|id| given(b"", id)).any(|cookie| {
        let pair = cookie.split(|byte| *byte == b';').next().unwrap_or_default();
        line.windows(pair.len()).any(|part| part == pair)
    });
    assert!(ours, "a client is known by a cookie that we have not signed");
}

/// A route on which it matters who a client is.
fn split_in_two() -> CompiledTable {
    let pool = |version: &str| Pool {
        version: version.to_owned(),
        weight: FULL_WEIGHT / 2,
        protocol: Protocol::Http1,
        endpoints: Vec::new(),
    };
    let listen = SocketAddr::from(([127, 0, 0, 1], 80));
    let route = Route { pools: vec![pool("2.0.0"), pool("1.0.0")], ..Route::new("test/web", listen) };
    let table = RoutingTable { routes: vec![route], ..RoutingTable::empty() };
    CompiledTable::new(table, None, &Registry::new(1, 0))
}

/// A `grpc-timeout` header.
pub fn grpc_timeout(value: &[u8]) {
    assert_eq!(read(value), std::str::from_utf8(value).ok().and_then(deadline));
}

/// As the format's own words have it: at most eight ASCII digits and a unit.
fn deadline(text: &str) -> Option<Duration> {
    let nanos_in_unit = match text.chars().next_back()? {
        'H' => 3_600_000_000_000,
        'M' => 60_000_000_000,
        'S' => 1_000_000_000,
        'm' => 1_000_000,
        'u' => 1_000,
        'n' => 1,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    if !(1..=8).contains(&digits.len()) || digits.contains(|digit: char| !digit.is_ascii_digit()) {
        return None;
    }
    let nanos = digits.parse::<u128>().ok()? * nanos_in_unit;
    Some(Duration::from_nanos_u128(nanos))
}
