//! Walking a list of proxies from its end, as far as it can be believed.
//!
//! Where it cannot be read, somebody unknown is put: if the walk just ended there, a client could spoil a list and be taken
//! for the proxy in front of it, which may have rights that it has not.

use std::net::IpAddr;

use super::element::elements_from_the_end;
use super::node::Node;
use crate::Network;

/// What one proxy wrote: whom it was asked by, and how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) node: Node,
    pub(super) scheme: Option<Scheme>,
    pub(super) host: Option<Vec<u8>>,
}

/// A line that cannot be read; nothing before its end is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// How a client was connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    Http,
    Https,
}

/// What trusted proxies say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Those that passed the request on, the client first, up to but without the neighbour that is connected to us.
    pub(super) nodes: Vec<Node>,
    /// How the client was connected to the first of them.
    pub(super) scheme: Option<Scheme>,
    /// The host that the client asked for.
    pub(super) host: Option<Vec<u8>>,
}

impl Scheme {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if text.eq_ignore_ascii_case(b"https") {
            Some(Self::Https)
        } else {
            text.eq_ignore_ascii_case(b"http").then_some(Self::Http)
        }
    }
}

/// What the lines of `Forwarded` say, given that the neighbour that sent them is trusted.
pub(super) fn forwarded(lines: &[&[u8]], trusted: &[Network]) -> Told {
    let mut told = Told::default();
    for hop in lines.iter().rev().flat_map(|line| elements_from_the_end(line)) {
        let hop = hop.unwrap_or_else(|Malformed| Hop { node: Node::unknown(), scheme: None, host: None });
        let goes_on = is_trusted(&hop.node, trusted);
        told.nodes.push(hop.node);
        (told.scheme, told.host) = (hop.scheme, hop.host.filter(|host| is_host(host)));
        if !goes_on {
            break;
        }
    }
    told.nodes.reverse();
    told
}

/// What the lines of `X-Forwarded-For`, `-Proto` and `-Host` say, given that the neighbour that sent them is trusted.
///
/// The other two are lists beside the first or, from proxies that do not append, a single value for all of it.
pub(super) fn x_forwarded(
    addresses: &[&[u8]],
    schemes: &[&[u8]],
    hosts: &[&[u8]],
    trusted: &[Network],
) -> Told {
    let mut nodes = Vec::new();
    for address in from_the_end(addresses) {
        let node = Node::parse(unquoted(address)).unwrap_or_else(Node::unknown);
        let goes_on = is_trusted(&node, trusted);
        nodes.push(node);
        if !goes_on {
            break;
        }
    }
    nodes.reverse();
    let place = nodes.len().saturating_sub(1);
    let beside = |lines| from_the_end(lines).take(place + 1).last();
    Told {
        scheme: beside(schemes).and_then(Scheme::parse),
        host: beside(hosts).filter(|host| is_host(host)).map(<[u8]>::to_vec),
        nodes,
    }
}

fn from_the_end<'l>(lines: &[&'l [u8]]) -> impl Iterator<Item = &'l [u8]> {
    let elements = lines.iter().rev().flat_map(|line| line.rsplit(|byte| *byte == b','));
    elements.map(<[u8]>::trim_ascii).filter(|element| !element.is_empty())
}

fn unquoted(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\"")).unwrap_or(text)
}

pub(super) fn contains(trusted: &[Network], address: IpAddr) -> bool {
    trusted.iter().any(|network| network.contains(address))
}

fn is_trusted(node: &Node, trusted: &[Network]) -> bool {
    match node {
        Node::Address(address) => contains(trusted, *address),
        Node::Obscured(_) => false,
    }
}

/// Whether this can be a host with an optional port (RFC 3986, section 3.2), and nothing at which two readers could cut
/// it differently.
fn is_host(host: &[u8]) -> bool {
    !host.is_empty() && host.iter().all(|byte| byte.is_ascii_graphic() && !b"/\\?#@\"<>,".contains(byte))
}
