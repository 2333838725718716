//! The edge as its users meet it: real sockets, real upstreams, the whole of `run`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod child;
mod client;
mod frames;
mod upstream;
mod world;

mod access_log;
mod bursts;
mod certificates;
mod comparisons;
mod control;
mod endings;
mod estate;
mod failures;
mod floods;
mod grpc;
mod handover;
mod heads;
mod http2;
mod http2_rules;
mod http2_services;
mod lifecycle;
mod limits;
mod many_routes;
mod mirrors;
mod neighbours;
mod reload;
mod replaced;
mod routing;
mod secure;
mod shaping;
mod slow;
mod smuggling;
mod telemetry;
mod tunnels;
