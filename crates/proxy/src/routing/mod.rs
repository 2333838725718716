//! The routing table in the form that workers read, and every choice that is made by it. No input or output, and no
//! clock but the one by which counters are forgotten: what happens now is said by arguments.
//!
//! In the order in which a request meets them: `forwarded` and `trace` (what may be believed of its head), `table` and
//! `lookup` (which route, with `host` and `path`), `assign` (which version: `cohort`, `client`, `cookie` and `cookies`, `split`),
//! `mirror` (whether it is copied), `balance` (which instance), `ejection` and `retry` (what happens when that fails), and
//! the counters.

mod asked;
mod assign;
mod balance;
mod client;
mod cohort;
mod cookie;
mod cookies;
mod counters;
mod deadline;
mod ejection;
mod forwarded;
mod host;
mod lookup;
mod mirror;
mod path;
mod percent;
mod query;
mod retry;
mod route;
#[cfg(any(test, fuzzing))]
mod sample;
mod split;
mod table;
mod trace;

pub(crate) use asked::Asked;
pub(crate) use balance::{InstanceWeight, Load, pick};
pub use client::CLIENT_HEADER;
pub(crate) use client::ClientId;
pub(crate) use cookie::CookieKey;
pub use cookie::{CLIENT_COOKIE, SECURE_CLIENT_COOKIE};
pub(crate) use cookies::Cookies;
pub(crate) use counters::{
    AccessLogCounters, ConnectionCounters, ConnectionShard, Registry, RouteCounters, Shard, VersionCounters,
};
pub(crate) use deadline::grpc_timeout;
pub(crate) use ejection::{EjectionRules, Health, Siblings};
pub(crate) use forwarded::{Origin, Peer};
pub(crate) use lookup::{NoRoute, RouteId};
pub(crate) use mirror::{ByteBudget, CompiledMirror, mirror_choice};
pub(crate) use retry::RetryBudget;
pub(crate) use route::{CompiledPool, CompiledRoute, CompiledTimeouts};
#[cfg(any(test, fuzzing))]
pub(crate) use sample::Sample;
pub use split::split_point;
pub(crate) use table::CompiledTable;
pub(crate) use trace::{Trace, trace, trace_id};
