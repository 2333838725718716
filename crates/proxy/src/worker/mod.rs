//! A worker: one thread, one runtime, its own listeners and connections. In the order in which a request meets them:
//! `accept` (connections), `guard` and `framing` (ambiguous bytes), `serve` (one request), `head` (what of it is passed on), `exchange` (tries until one endpoint
//! answers), `balance` (which endpoint), `endpoint` and `link` (connections to it), `flight` (counting), `body`,
//! `tunnel` (upgrades).

mod accept;
mod answer;
mod balance;
mod body;
mod clock;
mod endpoint;
mod exchange;
mod flight;
mod framing;
mod guard;
mod head;
mod link;
mod random;
mod serve;
mod thread;
mod tunnel;
mod view;

pub(crate) use thread::{Command, Shared, WorkerHandle, spawn};
