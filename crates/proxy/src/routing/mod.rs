//! The routing table in the form that workers read, the split of clients, and the counters.

mod compiled;
mod counters;
mod split;

pub(crate) use compiled::{CompiledPool, CompiledRoute, CompiledTable};
pub(crate) use counters::{Registry, RouteCounters, Shard, VersionCounters};
pub(crate) use split::client_id;
pub use split::{CLIENT_COOKIE, CLIENT_HEADER, split_point};
