//! Requests over HTTP/1.1, one at a time on each connection.

mod exchange;
mod pool;

pub(super) use exchange::{exchange, read};
pub(super) use pool::Pool;
