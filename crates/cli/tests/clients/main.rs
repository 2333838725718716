//! Conformance by the clients of others: each speaks to the sample service through a real edge.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where it cannot go on"
)]

mod curl;
mod curl_tls;
mod grpc;
mod nghttp;
mod passed;
mod python;
mod websocket;
mod world;
