//! HTTP/2 on sockets, for both ends.

mod connection;
mod driver;
mod stream;

pub(super) use connection::{Connection, Hold};
pub(super) use driver::Driver;
pub(super) use stream::Stream;
