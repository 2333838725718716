//! Numbers in JSON documents that any server hands out over HTTP.

mod client;
mod error;
mod number;

pub use client::JsonClient;
pub use error::JsonError;
