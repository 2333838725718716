//! A worker: one thread, one runtime, its own listeners and connections. In the order in which a request meets them:
//! `accept` (connections), `client` (what clients speak), `exchange` (one request: tries until one endpoint answers),
//! `balance` (which endpoint), `upstream` (connections to endpoints, and what they speak), `flight` (counting), `tunnel`
//! (upgrades). `comparer` compares what copies were
//! answered. Below them `stream` (bytes in and out of sockets), `body` and `head`.

mod accept;
mod asked;
mod balance;
mod body;
mod client;
mod clock;
mod comparer;
mod exchange;
mod flight;
mod forwarding;
mod head;
mod http2;
mod instances;
mod random;
mod room;
mod stream;
mod thread;
mod tunnel;
mod upstream;
mod view;

pub(crate) use comparer::Comparer;
pub(crate) use room::Rooms;
pub(crate) use thread::{Command, Shared, WorkerHandle, spawn};
#[cfg(any(test, fuzzing))]
pub(crate) use tunnel::Frames;
