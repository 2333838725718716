//! How a list names one of those that passed a request on.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// One of those that passed a request on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// Its address; IPv4 in IPv6's clothes is IPv4.
    Address(IpAddr),
    /// One that does not say: `unknown`, or a name of its own that begins with `_`.
    Obscured(Box<str>),
}

impl Node {
    /// Reads a node with or without a port (RFC 7239, section 6), also the bare IPv6 address of `X-Forwarded-For`.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::address(address));
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Some(Self::address(address.ip()));
        }
        let (name, port) = match text.rsplit_once(':') {
            // The colons of an IPv6 address are inside its brackets.
            Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
            _ => (text, None),
        };
        if port.is_some_and(|port| !is_port(port)) {
            return None;
        }
        if let Some(address) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            return address.parse::<Ipv6Addr>().ok().map(|address| Self::address(address.into()));
        }
        if let Ok(address) = name.parse::<IpAddr>() {
            return address.is_ipv4().then(|| Self::address(address));
        }
        (name.eq_ignore_ascii_case("unknown") || is_obscured(name)).then(|| Self::Obscured(name.into()))
    }

    /// Somebody of whom nothing is known, not even that it is not one of us.
    pub(super) fn unknown() -> Self {
        Self::Obscured("unknown".into())
    }

    fn address(address: IpAddr) -> Self {
        Self::Address(address.to_canonical())
    }
}

fn is_port(port: &str) -> bool {
    let is_number = (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit());
    is_number || is_obscured(port)
}

/// `"_" 1*( ALPHA / DIGIT / "." / "_" / "-" )`
fn is_obscured(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    name.strip_prefix('_').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_read_in_every_form() {
        let address = |text: &str| Some(Node::Address(text.parse().unwrap()));
        for (text, expected) in [
            ("192.0.2.1", address("192.0.2.1")),
            ("192.0.2.1:4711", address("192.0.2.1")),
            ("192.0.2.1:_port", address("192.0.2.1")),
            ("[2001:db8::1]", address("2001:db8::1")),
            ("[2001:db8::1]:4711", address("2001:db8::1")),
            ("[2001:db8::1]:_x", address("2001:db8::1")),
            ("2001:db8::1", address("2001:db8::1")),
            ("::ffff:192.0.2.1", address("192.0.2.1")),
            ("[::ffff:192.0.2.1]", address("192.0.2.1")),
            ("unknown", Some(Node::Obscured("unknown".into()))),
            ("_hidden", Some(Node::Obscured("_hidden".into()))),
            ("_SEVKISEK:80", Some(Node::Obscured("_SEVKISEK".into()))),
        ] {
            assert_eq!(Node::parse(text.as_bytes()), expected, "{text}");
        }
        for text in [
            "",
            "_",
            "host",
            "192.0.2",
            "192.0.2.1:",
            "192.0.2.1:x",
            "192.0.2.1:123456",
            "[192.0.2.1]",
            "[::1",
            "::1]",
            "[::1]x",
            "[]",
            "_a b",
            "192.0.2.1 ",
            "a:b:c",
            ":",
        ] {
            assert_eq!(Node::parse(text.as_bytes()), None, "{text}");
        }
    }
}
