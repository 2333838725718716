//! HTTP/2 as bytes (RFC 9113): frames, compressed heads (RFC 7541), streams and their windows, for both ends of a
//! connection. Nothing here reads a socket.

mod frame;
mod head;
pub(crate) mod hpack;
mod reason;
mod session;
mod settings;
mod stream;

#[cfg(any(test, fuzzing))]
pub(crate) use frame::PREFACE;
pub(crate) use head::Unreadable;
pub(crate) use reason::Reason;
pub(crate) use session::{Accepted, HeadWriter, Next, Role, Session};
pub(crate) use settings::Settings;
pub(crate) use stream::{Broken, Slot};
