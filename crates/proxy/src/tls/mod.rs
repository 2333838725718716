//! TLS for the edge's listeners: certificates from files, the choice among them by the name a client asks for, and their
//! renewal without a restart.
//!
//! [`Encryption`] is the whole of it. Everything it uses is one immutable [`state`](mod@state) that is replaced as a
//! whole, by a new routing table or by files that have changed; handshakes read it without a lock. In the order of the
//! work: `files` (what is on disk), `loaded` (one certificate with its key), `names` (what it is for), `kept` (what
//! becomes of it when its files change), `selection` (which one a client gets), `acceptor` (the handshake).

mod acceptor;
mod encryption;
mod error;
mod files;
mod kept;
mod loaded;
mod names;
mod selection;
mod state;
mod status;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tickets;

pub(crate) use acceptor::Negotiated;
pub(crate) use encryption::{Encryption, Staged};
pub use status::CertificateStatus;
