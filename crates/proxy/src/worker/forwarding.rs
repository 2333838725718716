//! What the edge tells a service of its client: who it is, what it asked for, and who passed it on.

use std::net::SocketAddr;

use crate::Network;
use crate::message::{Fields, Name, Protocol, RequestHead};
use crate::routing::{Origin, Peer, Trace, trace};

/// What is told of the requests of one connection. Kept from request to request where nobody in front of the edge is
/// trusted, since most then say the same.
pub(super) struct Forwarding {
    peer: Peer,
    listen: SocketAddr,
    /// Where the request at hand comes from.
    pub(super) origin: Origin,
    host: Vec<u8>,
    fields: Fields,
    /// What `fields` were made for, if they may be used again.
    made_for: Option<Protocol>,
    drops_trace: bool,
    /// Somebody in front of the edge was trusted with the request before.
    believed: bool,
}

/// What is told with one request.
#[derive(Clone, Copy)]
pub(super) struct Told<'f> {
    /// The host that was asked for, or our own address if none was named.
    pub(super) host: &'f [u8],
    /// Fields beside those of the client.
    pub(super) fields: &'f Fields,
    /// The client's own trace headers are left out.
    pub(super) drops_trace: bool,
}

impl Forwarding {
    pub(super) fn new(peer: SocketAddr, listen: SocketAddr, secure: bool) -> Self {
        let peer = Peer::new(peer.ip(), secure);
        let origin = Origin::of(&peer, &[], |_| Vec::new());
        let (host, fields) = (Vec::new(), Fields::default());
        Self { peer, listen, origin, host, fields, made_for: None, drops_trace: false, believed: false }
    }

    /// Looks at another request. `draw` gives random numbers.
    pub(super) fn look(&mut self, head: &RequestHead, trusted: &[Network], draw: impl FnMut() -> u64) {
        // Another table may trust others: what was believed under the one before must not stay.
        if !trusted.is_empty() || self.believed {
            self.believed = !trusted.is_empty();
            self.made_for = None;
            self.origin =
                Origin::of(&self.peer, trusted, |name| head.fields.all(Name::of(name.as_bytes())).collect());
        }
        let trace = trace(head.fields.all(Name::Traceparent), draw);
        let as_before = self.made_for == Some(head.protocol) && head.host() == Some(&self.host);
        if !as_before || matches!(trace, Trace::Replace(_)) {
            self.make(head);
            self.made_for = Some(head.protocol);
        }
        self.drops_trace = trace != Trace::Keep;
        if let Trace::Replace(parent) = trace {
            self.fields.push(b"traceparent", &parent);
            self.made_for = None;
        }
    }

    /// What is told with the request that was looked at last.
    pub(super) fn told(&self) -> Told<'_> {
        Told { host: &self.host, fields: &self.fields, drops_trace: self.drops_trace }
    }

    fn make(&mut self, head: &RequestHead) {
        self.host.clear();
        match head.host() {
            Some(host) => self.host.extend_from_slice(host),
            None => self.host.extend_from_slice(self.listen.to_string().as_bytes()),
        }
        let (mut addresses, mut forwarded) = (Vec::new(), Vec::new());
        self.origin.write_forwarded_for(&self.peer, &mut addresses);
        self.origin.write_forwarded(&self.peer, &self.host, &mut forwarded);
        let fields = &mut self.fields;
        fields.clear();
        fields.push(b"Via", format!("{} pilotage", head.protocol.as_str()).as_bytes());
        fields.push(b"X-Forwarded-For", &addresses);
        fields.push(b"X-Forwarded-Proto", self.origin.scheme().as_bytes());
        fields.push(b"X-Forwarded-Host", self.origin.host(&self.host));
        fields.push(b"Forwarded", &forwarded);
    }
}
