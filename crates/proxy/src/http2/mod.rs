//! HTTP/2 as bytes (RFC 9113). Nothing here reads a socket.

pub(crate) mod hpack;
