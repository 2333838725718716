//! What is told to a service: those that passed the request on, as far as they are believed, and then our neighbour.

use std::net::IpAddr;

use super::Origin;
use super::node::Node;

/// The neighbour on one connection, with its address as it is written.
#[derive(Debug)]
pub(crate) struct Peer {
    /// IPv4 in IPv6's clothes is IPv4.
    pub(crate) address: IpAddr,
    /// Whether its connection is encrypted.
    pub(crate) secure: bool,
    text: String,
}

impl Peer {
    pub(crate) fn new(address: IpAddr, secure: bool) -> Self {
        let address = address.to_canonical();
        Self { address, secure, text: address.to_string() }
    }
}

impl Origin {
    /// Writes the value of `Forwarded`. `host` is what was asked for on our connection.
    pub(crate) fn write_forwarded(&self, peer: &Peer, host: &[u8], out: &mut Vec<u8>) {
        let asked_for = self.host(host);
        for (index, node) in self.nodes.iter().enumerate() {
            match node {
                Node::Address(address) => write_node(*address, &address.to_string(), out),
                Node::Obscured(name) => out.extend([b"for=", name.as_bytes()].concat()),
            }
            if index == 0 {
                write_details(self.secure, asked_for, out);
            }
            out.extend(b", ");
        }
        write_node(peer.address, &peer.text, out);
        write_details(peer.secure, host, out);
    }

    /// Writes the value of `X-Forwarded-For`.
    pub(crate) fn write_forwarded_for(&self, peer: &Peer, out: &mut Vec<u8>) {
        for node in &self.nodes {
            match node {
                Node::Address(address) => out.extend(address.to_string().as_bytes()),
                Node::Obscured(name) => out.extend(name.as_bytes()),
            }
            out.extend(b", ");
        }
        out.extend(peer.text.as_bytes());
    }

    /// The value of `X-Forwarded-Proto`: how the client itself is connected.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// The value of `X-Forwarded-Host`: what the client itself asked for. `host` is that on our connection.
    pub(crate) fn host<'h>(&'h self, host: &'h [u8]) -> &'h [u8] {
        self.host.as_deref().unwrap_or(host)
    }
}

fn write_node(address: IpAddr, text: &str, out: &mut Vec<u8>) {
    let (before, after): (&[u8], &[u8]) =
        if address.is_ipv6() { (b"for=\"[", b"]\"") } else { (b"for=", b"") };
    out.extend(before);
    out.extend(text.as_bytes());
    out.extend(after);
}

fn write_details(secure: bool, host: &[u8], out: &mut Vec<u8>) {
    out.extend(if secure { b";proto=https".as_slice() } else { b";proto=http" });
    if host.is_empty() {
        return;
    }
    out.extend(b";host=\"");
    for byte in host {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Network;

    fn told(peer: &Peer, headers: &[(&str, &str)]) -> [String; 4] {
        let trusted: Vec<Network> = vec!["10.0.0.0/8".parse().unwrap()];
        let values = |name: &'static str| {
            headers.iter().filter(|(own, _)| *own == name).map(|(_, value)| value.as_bytes()).collect()
        };
        let origin = Origin::of(peer, &trusted, values);
        let (mut forwarded, mut addresses) = (Vec::new(), Vec::new());
        origin.write_forwarded(peer, b"edge.test:80", &mut forwarded);
        origin.write_forwarded_for(peer, &mut addresses);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        [text(&forwarded), text(&addresses), origin.scheme().to_owned(), text(origin.host(b"edge.test:80"))]
    }

    #[test]
    fn what_a_stranger_said_is_replaced() {
        let peer = Peer::new("203.0.113.9".parse().unwrap(), true);
        let forged = [("forwarded", "for=1.2.3.4;host=evil"), ("x-forwarded-for", "1.2.3.4")];
        assert_eq!(
            told(&peer, &forged),
            ["for=203.0.113.9;proto=https;host=\"edge.test:80\"", "203.0.113.9", "https", "edge.test:80"]
        );
    }

    #[test]
    fn what_a_trusted_proxy_said_is_appended_to() {
        let peer = Peer::new("::ffff:10.0.0.1".parse().unwrap(), false);
        let list = [
            ("x-forwarded-for", "1.2.3.4, 2001:db8::1, 10.0.0.2"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "shop.test"),
        ];
        assert_eq!(
            told(&peer, &list),
            [
                "for=\"[2001:db8::1]\";proto=https;host=\"shop.test\", for=10.0.0.2, \
                 for=10.0.0.1;proto=http;host=\"edge.test:80\"",
                "2001:db8::1, 10.0.0.2, 10.0.0.1",
                "https",
                "shop.test"
            ]
        );
        assert_eq!(told(&peer, &[("forwarded", "for=_hidden")])[1], "_hidden, 10.0.0.1");
    }

    #[test]
    fn an_edge_behind_an_edge_understands_what_the_first_one_wrote() {
        let client = Peer::new("2001:db8::7".parse().unwrap(), true);
        let first = told(&client, &[]);
        let [forwarded, addresses, scheme, host] = first.each_ref().map(String::as_str);
        let headers = [
            ("forwarded", forwarded),
            ("x-forwarded-for", addresses),
            ("x-forwarded-proto", scheme),
            ("x-forwarded-host", host),
        ];
        let second = told(&Peer::new("10.0.0.1".parse().unwrap(), false), &headers);
        assert_eq!(second[1], "2001:db8::7, 10.0.0.1");
        assert_eq!((&second[2], &second[3]), (&first[2], &first[3]));
    }
}
