//! Counters by route, version and worker thread.
//!
//! Each thread writes only its own shard, so counting is a plain load and store on a cache line that nobody else
//! writes. A reader sums the shards. Only `bursts` and `comparisons`, which good requests never touch, are shared by all
//! threads.

mod access_log;
mod bursts;
mod cell;
mod comparisons;
mod connection;
mod registry;
mod route;
mod version;

pub(crate) use access_log::AccessLogCounters;
pub(crate) use connection::{ConnectionCounters, ConnectionShard};
pub(crate) use registry::Registry;
pub(crate) use route::RouteCounters;
pub(crate) use version::{Shard, VersionCounters};
