//! Connections to instances.

mod attempt;
mod connect;
mod endpoint;
mod http1;
mod http2;
mod link;

pub(super) use endpoint::Upstream;
pub(super) use http1::Http1Link;
pub(super) use http2::Http2Link;
pub(super) use link::{Link, LinkFault, Outgoing};
