//! What of a head concerns one connection only, and what the edge tells the service of its client.

use std::net::SocketAddr;

use crate::message::{Fields, Name, Protocol, RequestHead};

/// Whether the client wants to go on in another protocol. HTTP/2 without TLS is not passed through: requests inside it
/// would get past everything that the edge checks. A server may ignore the wish, so such a request is served as it is.
pub(super) fn asks_for_upgrade(head: &RequestHead) -> bool {
    head.protocol == Protocol::Http11
        && head
            .fields
            .get(Name::Upgrade)
            .is_some_and(|protocol| !protocol.to_ascii_lowercase().windows(3).any(|part| part == b"h2c"))
        && head.fields.lists(Name::Connection, "upgrade")
}

/// Whether `Connection` names this field as one for this connection only. Framing and host stay, whatever it says: naming
/// them would be an attack on our neighbour.
pub(super) fn is_nominated(fields: &Fields, name: Name, raw: &[u8]) -> bool {
    if matches!(name, Name::Host | Name::ContentLength | Name::Connection) {
        return false;
    }
    fields.all(Name::Connection).any(|value| {
        // By far the most frequent values name nothing.
        !matches!(value, b"keep-alive" | b"close" | b"Keep-Alive")
            && value.split(|byte| *byte == b',').any(|listed| listed.trim_ascii().eq_ignore_ascii_case(raw))
    })
}

/// Whether the edge says this itself, in place of what the client said.
pub(super) fn is_replaced(name: Name) -> bool {
    matches!(
        name,
        Name::Host
            | Name::Expect
            | Name::Forwarded
            | Name::XForwardedFor
            | Name::XForwardedHost
            | Name::XForwardedProto
    )
}

/// What the edge tells the service of a client's connection. The fields are kept from request to request, since most name
/// the same host.
pub(super) struct Forwarding {
    peer: SocketAddr,
    listen: SocketAddr,
    secure: bool,
    /// The host and protocol that `fields` were made for.
    made_for: Option<(Vec<u8>, Protocol)>,
    fields: Fields,
}

impl Forwarding {
    pub(super) fn new(peer: SocketAddr, listen: SocketAddr, secure: bool) -> Self {
        Self { peer, listen, secure, made_for: None, fields: Fields::default() }
    }

    /// The host to name to the service, and the fields about the client.
    pub(super) fn of(&mut self, head: &RequestHead) -> (&[u8], &Fields) {
        let same = self
            .made_for
            .as_ref()
            .is_some_and(|(host, protocol)| Some(&host[..]) == head.host() && *protocol == head.protocol);
        if !same {
            let host = head.host().map_or_else(|| self.listen.to_string().into_bytes(), <[u8]>::to_vec);
            self.make(&host, head.protocol);
            self.made_for = Some((host, head.protocol));
        }
        (self.made_for.as_ref().map_or(&[], |(host, _)| host), &self.fields)
    }

    fn make(&mut self, host: &[u8], protocol: Protocol) {
        let address = self.peer.ip().to_canonical().to_string();
        let scheme = if self.secure { "https" } else { "http" };
        let for_whom = if address.contains(':') { format!("\"[{address}]\"") } else { address.clone() };
        // Needs no escapes within the quotes: what a host may contain has been checked.
        let host_text = String::from_utf8_lossy(host);
        let forwarded = format!("for={for_whom};proto={scheme};host=\"{host_text}\"");
        let fields = &mut self.fields;
        fields.clear();
        fields.push(b"Via", format!("{} pilotage", protocol.as_str()).as_bytes());
        fields.push(b"X-Forwarded-For", address.as_bytes());
        fields.push(b"X-Forwarded-Proto", scheme.as_bytes());
        fields.push(b"X-Forwarded-Host", host);
        fields.push(b"Forwarded", forwarded.as_bytes());
    }
}
