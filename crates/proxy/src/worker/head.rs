//! What of a head concerns one connection only, and what of it the edge says itself.

use crate::message::{BodyLength, Fields, Name, Protocol, RequestHead, ResponseHead, listed};

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

/// The fields of a request that go out to an instance, each with its name as written. What concerns the client's connection
/// does not, nor what the edge says itself.
pub(super) fn request_fields(head: &RequestHead, drops_trace: bool) -> impl Iterator<Item = (&[u8], &[u8])> {
    let streamed = head.length == BodyLength::Streamed;
    end_to_end(&head.fields, move |name| {
        is_replaced(name)
            || (name == Name::ContentLength && streamed)
            || (drops_trace && matches!(name, Name::Traceparent | Name::Tracestate))
    })
}

/// The fields of an answer that go out to a client.
pub(super) fn answer_fields(head: &ResponseHead) -> impl Iterator<Item = (&[u8], &[u8])> {
    let no_length = head.status < 200
        || head.status == 204
        || matches!(head.length, BodyLength::Streamed | BodyLength::UntilClose);
    end_to_end(&head.fields, move |name| {
        name == Name::PilotageVersion || (name == Name::ContentLength && no_length)
    })
}

/// All fields that are not for one connection only, but for some.
fn end_to_end(fields: &Fields, is_left_out: impl Fn(Name) -> bool) -> impl Iterator<Item = (&[u8], &[u8])> {
    let nominated = Nominated::by(fields);
    let passes = move |(name, raw, _): &(Name, &[u8], &[u8])| {
        !is_left_out(*name) && !name.is_hop_by_hop() && !nominated.has(*name, raw)
    };
    fields.iter().filter(passes).map(|(_, raw, value)| (raw, value))
}

/// What `Connection` names as fields for this connection only.
struct Nominated<'f> {
    /// None where it names nothing, which is by far the most frequent.
    by: Option<&'f Fields>,
}

impl<'f> Nominated<'f> {
    fn by(fields: &'f Fields) -> Self {
        let names_any = |value: &[u8]| !matches!(value, b"keep-alive" | b"close" | b"Keep-Alive");
        Self { by: fields.all(Name::Connection).any(names_any).then_some(fields) }
    }

    /// Whether it names this field. Framing and host stay, whatever it says: naming them would be an attack on our neighbour.
    fn has(&self, name: Name, raw: &[u8]) -> bool {
        let Some(fields) = self.by else { return false };
        let names = |value| listed(value).any(|listed| listed.eq_ignore_ascii_case(raw));
        !matches!(name, Name::Host | Name::ContentLength | Name::Connection)
            && fields.all(Name::Connection).any(names)
    }
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
