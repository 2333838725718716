//! The parsers that we own, held against bytes that nobody has chosen: one function for each, which panics when the parser
//! breaks a promise that the edge relies on.
//!
//! `fuzz/` feeds them by libFuzzer. The tests feed them its corpus and mutations of it, so that every change is held
//! against what was once found. Where another reader exists, ours is compared with it: `hyper` reads the same messages.
#![allow(clippy::panic, reason = "a broken promise ends the run, which keeps the input")]
#![allow(clippy::expect_used, reason = "as above")]

mod beside;
mod clients;
mod comparison;
mod compression;
#[cfg(test)]
mod corpus;
mod frames;
mod requests;
mod responses;
mod routing;
mod sessions;
mod tables;

#[cfg(test)]
pub(crate) use corpus::Chance;

pub use clients::{client_cookie, forwarded, grpc_timeout};
pub use comparison::compared_bodies;
pub use compression::header_blocks;
pub use frames::websocket_frames;
pub use requests::{chunked_body, requests};
pub use responses::response;
pub use routing::route_lookup;
pub use sessions::{http2_client, http2_server};
pub use tables::{control_message, routing_table};

/// A function that bytes are fed to.
pub type Target = fn(&[u8]);

/// Every target by its name, which is that of its folder in the corpus.
pub const TARGETS: [(&str, Target); 14] = [
    ("chunked_body", chunked_body),
    ("client_cookie", client_cookie),
    ("compared_bodies", compared_bodies),
    ("control_message", control_message),
    ("forwarded", forwarded),
    ("grpc_timeout", grpc_timeout),
    ("header_blocks", header_blocks),
    ("http2_client", http2_client),
    ("http2_server", http2_server),
    ("requests", requests),
    ("response", response),
    ("route_lookup", route_lookup),
    ("routing_table", routing_table),
    ("websocket_frames", websocket_frames),
];
