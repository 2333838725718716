//! What of a head concerns one connection only, and what of it the edge says itself.

use crate::message::{BodyLength, Fields, Name, Protocol, RequestHead};

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

/// Whether a field of a request goes out to an instance. What concerns the client's connection does not, nor what the edge
/// says itself.
pub(super) fn goes_out(head: &RequestHead, drops_trace: bool, (name, raw): (Name, &[u8])) -> bool {
    let dropped = is_replaced(name)
        || name.is_hop_by_hop()
        || (name == Name::ContentLength && head.length == BodyLength::Streamed)
        || (drops_trace && matches!(name, Name::Traceparent | Name::Tracestate));
    !dropped && !is_nominated(&head.fields, name, raw)
}

/// Whether the edge says this itself, in place of what the client said.
fn is_replaced(name: Name) -> bool {
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
