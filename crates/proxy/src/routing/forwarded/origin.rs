//! Where a request comes from.

use std::net::IpAddr;

use super::Peer;
use super::node::Node;
use super::walk::{Scheme, Told, contains, forwarded, x_forwarded};
use crate::Network;

/// Where a request comes from, as far as it can be believed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The client's address: the last one on the way back that somebody trusted has told.
    pub(crate) client: IpAddr,
    /// Whether the client's own connection is encrypted.
    pub(crate) secure: bool,
    /// The host that the client asked for, if a trusted proxy says so.
    pub(super) host: Option<Vec<u8>>,
    /// Those that passed the request on, the client first, without the neighbour that is connected to us. Empty if that
    /// is the client.
    pub(super) nodes: Vec<Node>,
}

impl Origin {
    /// The origin of a request from a neighbour. `values` gives the values of a header by its name in lower case, in
    /// order; it is not asked if the neighbour is not trusted.
    ///
    /// A proxy that knows only one of the two families of headers passes on what the client wrote in the other. So if
    /// both are there, only what both say is believed.
    pub(crate) fn of<'v>(
        peer: &Peer,
        trusted: &[Network],
        values: impl Fn(&'static str) -> Vec<&'v [u8]>,
    ) -> Self {
        if !contains(trusted, peer.address) {
            return Self::told(peer, Told::default());
        }
        let standard = values("forwarded");
        let older = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"].map(values);
        let [addresses, schemes, hosts] = &older;
        let told = match (standard.is_empty(), older.iter().all(Vec::is_empty)) {
            (_, true) => forwarded(&standard, trusted),
            (true, false) => x_forwarded(addresses, schemes, hosts, trusted),
            (false, false) => {
                common(forwarded(&standard, trusted), x_forwarded(addresses, schemes, hosts, trusted))
            }
        };
        Self::told(peer, told)
    }

    fn told(peer: &Peer, told: Told) -> Self {
        let addresses = told.nodes.iter().filter_map(|node| match node {
            Node::Address(address) => Some(*address),
            Node::Obscured(_) => None,
        });
        Self {
            client: addresses.clone().next().unwrap_or(peer.address),
            secure: told.scheme.map_or(peer.secure, |scheme| scheme == Scheme::Https),
            host: told.host,
            nodes: told.nodes,
        }
    }
}

/// What two families of headers say alike. If they name different clients, it could be either.
fn common(one: Told, other: Told) -> Told {
    if one.nodes != other.nodes {
        return Told { nodes: vec![Node::unknown()], ..Told::default() };
    }
    Told {
        scheme: one.scheme.filter(|_| one.scheme == other.scheme),
        host: one.host.filter(|host| other.host.as_ref() == Some(host)),
        nodes: one.nodes,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Headers<'h> = &'h [(&'h str, &'h str)];

    fn origin(peer: &str, headers: Headers<'_>) -> Origin {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        let peer = Peer::new(peer.parse().unwrap(), false);
        Origin::of(&peer, &trusted, |name| {
            headers.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.as_bytes()).collect()
        })
    }

    fn client(peer: &str, headers: Headers<'_>) -> String {
        origin(peer, headers).client.to_string()
    }

    #[test]
    fn the_walk_ends_at_the_first_address_that_is_not_trusted() {
        for (list, expected) in [
            ("203.0.113.9", "203.0.113.9"),
            ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
            ("198.51.100.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
            ("203.0.113.9:4711,[fd00::1]:80", "203.0.113.9"),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            ("198.51.100.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("198.51.100.1, nonsense, 10.0.0.2", "10.0.0.2"),
            ("nonsense", "10.0.0.1"),
            ("", "10.0.0.1"),
        ] {
            assert_eq!(client("10.0.0.1", &[("x-forwarded-for", list)]), expected, "{list}");
        }
        let lines = [("x-forwarded-for", "198.51.100.1, 203.0.113.9"), ("x-forwarded-for", "10.0.0.2")];
        assert_eq!(client("10.0.0.1", &lines), "203.0.113.9");
        assert_eq!(client("::ffff:10.0.0.1", &lines), "203.0.113.9");
    }

    #[test]
    fn the_standard_header_is_walked_the_same_way() {
        let line = r#"for=198.51.100.1;proto=https;host=evil, for="203.0.113.9:4711";proto=https;host=shop.test, for=10.0.0.2;proto=http;host=inner"#;
        let origin = origin("10.0.0.1", &[("forwarded", line)]);
        assert_eq!((origin.client, origin.secure), ("203.0.113.9".parse().unwrap(), true));
        assert_eq!(origin.host.as_deref(), Some(&b"shop.test"[..]));
        let broken = [("forwarded", "for=\"198.51.100.1"), ("forwarded", "for=203.0.113.9, for=10.0.0.2")];
        assert_eq!(client("10.0.0.1", &broken), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &[("forwarded", "for=\"198.51.100.1, for=203.0.113.9")]), "10.0.0.1");
        assert_eq!(
            client("10.0.0.1", &[("forwarded", "for=203.0.113.9, for=_proxy, for=10.0.0.2")]),
            "10.0.0.2"
        );
    }

    #[test]
    fn scheme_and_host_stand_beside_the_client() {
        let secure = |schemes| {
            let headers =
                [("x-forwarded-for", "198.51.100.1, 203.0.113.9, 10.0.0.2"), ("x-forwarded-proto", schemes)];
            origin("10.0.0.1", &headers).secure
        };
        assert!(secure("https"));
        assert!(secure("http, HTTPS, http"));
        assert!(!secure("https, http, https"), "the client wrote the first itself");
        assert!(!secure("gopher"));
        assert!(origin("10.0.0.1", &[("x-forwarded-proto", "https")]).secure);
        let host = |host| origin("10.0.0.1", &[("x-forwarded-host", host)]).host;
        assert_eq!(host("shop.test:443").as_deref(), Some(&b"shop.test:443"[..]));
        assert_eq!(host("shop.test/evil"), None);
    }

    #[test]
    fn of_two_families_only_what_both_say_is_believed() {
        let alike = [
            ("forwarded", "for=203.0.113.9;proto=https;host=shop.test"),
            ("x-forwarded-for", "203.0.113.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.test"),
        ];
        let both = origin("10.0.0.1", &alike);
        assert_eq!((both.client.to_string().as_str(), both.secure), ("203.0.113.9", true));
        assert_eq!(both.host.as_deref(), Some(&b"shop.test"[..]));

        let forged = [("forwarded", "for=198.51.100.1;proto=https"), ("x-forwarded-for", "203.0.113.9")];
        assert_eq!(client("10.0.0.1", &forged), "10.0.0.1");
        assert_eq!(origin("10.0.0.1", &forged).nodes, [Node::unknown()], "nobody takes it for the proxy");
        let half_forged =
            [("forwarded", "for=203.0.113.9;proto=https;host=evil"), ("x-forwarded-for", "203.0.113.9")];
        let origin = origin("10.0.0.1", &half_forged);
        assert_eq!(
            (origin.client.to_string().as_str(), origin.secure, origin.host),
            ("203.0.113.9", false, None)
        );
    }

    fn said() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("for="),
            Just("proto=https"),
            Just("host=evil"),
            Just("\""),
            Just(";"),
            Just(","),
            Just(" "),
            Just("\\"),
            Just("10.0.0.2"),
            Just("198.51.100.1"),
            Just("[fd00::1]"),
            Just(":80"),
            Just("unknown"),
            Just("_x"),
            Just("é"),
        ];
        proptest::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_is_believed_of_a_stranger(lines in proptest::collection::vec((0..4usize, said()), 0..4)) {
            const NAMES: [&str; 4] = ["forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];
            let headers: Vec<_> = lines.iter().map(|(name, line)| (NAMES[*name], line.as_str())).collect();
            let stranger = origin("203.0.113.9", &headers);
            prop_assert_eq!(stranger, Origin { client: "203.0.113.9".parse().unwrap(), secure: false, host: None, nodes: vec![] });
        }

        #[test]
        fn what_a_stranger_wrote_changes_nothing_once_a_trusted_proxy_has_appended(line in said(), standard in any::<bool>()) {
            let (name, own) = if standard { ("forwarded", "for=203.0.113.9") } else { ("x-forwarded-for", "203.0.113.9") };
            let expected = origin("10.0.0.1", &[(name, own)]);
            // As a line of its own, which is how a list cannot be spoilt.
            prop_assert_eq!(&origin("10.0.0.1", &[(name, &line), (name, own)]), &expected);
            let appended = origin("10.0.0.1", &[(name, &format!("{line}, {own}"))]);
            // To the same line: if it cannot be read because of that, the client is somebody unknown.
            let spoilt = standard && appended.nodes == [Node::unknown()];
            prop_assert!(appended == expected || spoilt, "{appended:?}");
        }

        #[test]
        fn nothing_panics(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            let trusted = ["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
            let peer = Peer::new("10.0.0.1".parse().unwrap(), true);
            Origin::of(&peer, &trusted, |name| if name == "forwarded" { vec![&line] } else { vec![] });
            Origin::of(&peer, &trusted, |name| if name == "forwarded" { vec![] } else { vec![&line] });
        }
    }
}
