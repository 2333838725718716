//! Certificates and handshakes as a client meets them, over real connections.

mod handshake;
mod listeners;
mod renewal;
