//! What is particular to gRPC: errors are said in a status of its own, which comes after the body.

use super::Answer;
use crate::message::{Fields, Protocol, RequestHead, ResponseHead};

/// Statuses with which a service says that it has failed, not its client: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED,
/// INTERNAL, UNAVAILABLE and DATA_LOSS.
const FAILURES: [&[u8]; 6] = [b"2", b"4", b"12", b"13", b"14", b"15"];

/// Whether a request is a gRPC call.
pub(super) fn is_asked_for(request: &RequestHead) -> bool {
    request.protocol == Protocol::Http2
        && request.fields.find("content-type").is_some_and(|kind| kind.starts_with(b"application/grpc"))
}

/// Whether these fields, of a head or after a body, say that the service has failed.
pub(super) fn has_failed(fields: &Fields) -> bool {
    fields.find("grpc-status").is_some_and(|status| FAILURES.contains(&status))
}

/// One of our own answers as gRPC says it: in a head without a body.
pub(super) fn begin(response: &mut ResponseHead, answer: Answer) {
    response.begin(Protocol::Http11, 200, b"OK");
    let fields = &mut response.fields;
    fields.push(b"content-type", b"application/grpc");
    fields.push(b"grpc-status", status(answer.status));
    fields.push(b"grpc-message", answer.text.trim_end().as_bytes());
}

/// What is said after the beginning of an answer whose deadline has passed.
pub(super) fn deadline_exceeded() -> Fields {
    let mut trailers = Fields::default();
    trailers.push(b"grpc-status", status(504));
    trailers.push(b"grpc-message", b"the deadline has passed in the middle of the answer");
    trailers
}

/// As in the mapping from HTTP to gRPC status codes, but for what is known better here: a deadline that has passed, and a
/// message that is too large.
fn status(http: u16) -> &'static [u8] {
    match http {
        408 | 504 => b"4",
        413 => b"8",
        400 | 431 => b"13",
        404 => b"12",
        _ => b"14",
    }
}
