//! Alerts that others send us: proving who has sent them, and reading what they say.
//!
//! Everything here is a function of the bytes of one delivery, the secret and the time. What an alert means for a deployment
//! is decided elsewhere.

mod alertmanager;
mod encoding;
mod generic;
mod grafana;
mod headers;
mod pagerduty;
mod parse;
mod text;
mod verify;

pub use headers::Headers;
pub use parse::{ALERTS_LIMIT, BODY_LIMIT_BYTES, MalformedDelivery, parse};
pub use verify::{TOLERANCE, Unverified, verify};
