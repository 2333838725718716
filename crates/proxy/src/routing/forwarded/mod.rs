//! Who asks, behind the proxies that are trusted, and what is told of that to services: `Forwarded` (RFC 7239) and the
//! older `X-Forwarded-For`, `-Proto` and `-Host`.
//!
//! Every proxy appends the address that it was asked from, so the list is walked from its end: the connection's own
//! address, then what that neighbour wrote if it is trusted, and so on until an address that is not. What was written
//! further left was in the request when it came from there, and anybody can write anything: it is not believed, and not
//! passed on either.

mod element;
mod node;
mod origin;
mod outgoing;
mod walk;

pub(crate) use origin::Origin;
pub(crate) use outgoing::Peer;
