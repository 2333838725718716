//! Where a request comes from: over the socket the kernel says the user's id, and `/etc/passwd` the name; over the network
//! there is an address. No header is believed about either.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use pilotage_spec::PrincipalName;
use tokio::net::UnixListener;

/// The other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The user of the process at the other end of the unix socket, if the kernel says it.
    Socket(Option<u32>),
    /// An address.
    Network(SocketAddr),
}

/// Those who are counted as one when it comes to how often they ask without having said who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Source {
    User(Option<u32>),
    Address(IpAddr),
}

impl Connected<IncomingStream<'_, UnixListener>> for Origin {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self::Socket(stream.io().peer_cred().ok().map(|credentials| credentials.uid()))
    }
}

impl Origin {
    /// With whom it is counted. Somebody with an IPv6 address has 2⁶⁴ of them (RFC 6177).
    pub(super) fn source(&self) -> Source {
        match self {
            Self::Socket(uid) => Source::User(*uid),
            Self::Network(address) => Source::Address(match address.ip().to_canonical() {
                IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & (u128::MAX << 64))),
                address => address,
            }),
        }
    }
}

/// The users to whom the server belongs: whoever runs it, and root.
pub(crate) fn owners() -> Vec<PrincipalName> {
    [rustix::process::geteuid().as_raw(), 0].into_iter().filter_map(user_name).collect()
}

/// A user's name; `uid:NUMBER` for one without.
pub(crate) fn user_name(uid: u32) -> Option<PrincipalName> {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = name_of(&users, uid).and_then(|name| name.parse().ok());
    named.or_else(|| format!("uid:{uid}").parse().ok())
}

/// The name of a user in the text of `/etc/passwd`; passwd(5).
fn name_of(users: &str, uid: u32) -> Option<String> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let id: u32 = fields.nth(1)?.parse().ok()?;
        (id == uid && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_id() {
        let users = "root:x:0:0:root:/root:/bin/sh\n# odd\n:x:7:7:::\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        assert_eq!(name_of(users, 0).as_deref(), Some("root"));
        assert_eq!(name_of(users, 1000).as_deref(), Some("anna"));
        assert_eq!(name_of(users, 7), None);
    }

    #[test]
    fn addresses_of_one_network_are_one_source() {
        let source = |text: &str| Origin::Network(text.parse().unwrap()).source();
        assert_eq!(source("[2001:db8::1]:1"), source("[2001:db8::ffff:2]:2"));
        assert_ne!(source("[2001:db8::1]:1"), source("[2001:db8:0:1::1]:1"));
        assert_eq!(source("[::ffff:192.0.2.1]:1"), source("192.0.2.1:2"));
        assert_ne!(source("192.0.2.1:1"), source("192.0.2.2:1"));
    }
}
