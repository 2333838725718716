//! The edge as its users meet it: real sockets, real upstreams, the whole of `run`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod client;
mod frames;
mod upstream;
mod world;

mod access_log;
mod certificates;
mod child;
mod control;
mod failures;
mod floods;
mod handover;
mod heads;
mod http2;
mod lifecycle;
mod reload;
mod routing;
mod shaping;
mod telemetry;
mod tunnels;
