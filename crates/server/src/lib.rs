//! The HTTP API over a unix socket, and its client.
