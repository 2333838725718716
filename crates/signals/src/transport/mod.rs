//! What all clients share: one bounded GET, its parts, and words about its answer.

mod connection;
mod request;

pub(crate) use connection::{TIMEOUT, Transport, TransportError};
pub(crate) use request::{bearer, described, percent_encoded, request, without_user};
