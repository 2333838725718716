//! What is said over the edge's control socket: one JSON object a line, each request answered by one response.
//!
//! `message` has the requests and answers, `line` reads them.

mod line;
mod message;

pub use message::{
    AccessLogStats, ConnectionStats, EdgeStats, Identity, Replacement, Request, Response, RouteStats,
};
