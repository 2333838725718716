//! Bounded requests to servers of others: over HTTP or HTTPS, with a limit on time and length, following no redirect.

mod request;
mod transport;
mod trust;

pub use request::{bearer, described, percent_encoded, request, without_user};
pub use transport::{TIMEOUT, Transport, TransportError};
pub use trust::{ClientIdentity, TrustError};
