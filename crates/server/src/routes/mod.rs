//! One file a resource, and the table of them all.

mod access;
mod audit;
mod deploy;
mod down;
mod events;
mod extract;
mod health;
mod history;
mod hooks;
mod logs;
mod ndjson;
mod opinion;
mod request;
mod rollout;
mod selection;
mod session;
mod status;
mod table;
mod targets;
mod token;
mod traffic;
mod up;
mod visible;

pub use table::{About, Needs, RouteInfo, route_table};
pub(crate) use table::{all, needs, unknown_path};
