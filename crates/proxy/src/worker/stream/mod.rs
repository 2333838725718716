//! Bytes in and out of a socket: what carries them, what has come and what waits to go, and when patience ends.

mod buffers;
mod deadline;
mod inlet;
mod outlet;
mod transport;

pub(super) use buffers::Buffers;
pub(super) use deadline::Deadline;
pub(super) use inlet::Inlet;
pub(super) use outlet::Outlet;
pub(super) use transport::Transport;
