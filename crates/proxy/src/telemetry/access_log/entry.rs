//! What the access log says of one request.

use std::net::IpAddr;
use std::sync::Arc;

/// A method has at most so many bytes in the log.
const LONGEST_METHOD: usize = 32;
/// A host has at most so many bytes in the log; a name in the DNS has no more.
const LONGEST_HOST: usize = 255;
/// A path has at most so many bytes in the log.
const LONGEST_PATH: usize = 1_024;

/// What the access log says of one request that has come to its end.
#[derive(Debug, Clone)]
pub(crate) struct AccessEntry {
    /// When its head had been read, in microseconds since the epoch.
    pub(crate) time_micros: i64,
    /// The trace it belongs to, as in `traceparent`; all zeros for none.
    pub(crate) trace_id: [u8; 16],
    /// Who sent it: whom a trusted proxy in front of the edge names, else the peer.
    pub(crate) client: IpAddr,
    /// What was asked for.
    pub(crate) request: RequestText,
    /// `http` or `https`, as the client used it.
    pub(crate) scheme: &'static str,
    /// The version of HTTP that the client speaks: `1.0`, `1.1` or `2`.
    pub(crate) protocol: &'static str,
    /// Whether the connection to the edge is encrypted.
    pub(crate) tls: bool,
    /// The status that was sent; none if the client was gone before.
    pub(crate) status: Option<u16>,
    /// The route that took it; none if there is none.
    pub(crate) route: Option<Arc<str>>,
    /// The version that it was sent to last.
    pub(crate) version: Option<Arc<str>>,
    /// The instance that it was sent to last.
    pub(crate) instance: Option<Arc<str>>,
    /// From the request's head to the end of the answer, in microseconds.
    pub(crate) duration_micros: u64,
    /// From the request's head to the answer's, in microseconds; none without an answer.
    pub(crate) first_byte_micros: Option<u64>,
    /// Bytes of the request's body.
    pub(crate) bytes_in: u64,
    /// Bytes of the answer's body.
    pub(crate) bytes_out: u64,
    /// How often it was sent again.
    pub(crate) retries: u32,
    /// What became of it.
    pub(crate) outcome: RequestOutcome,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum RequestOutcome {
    /// A version answered it whole, whatever the status.
    Answered,
    /// The connection to the version broke before the answer or in the middle of it.
    Broken,
    /// A time limit ended it.
    TimedOut,
    /// No version could take it.
    Unserved,
    /// The edge sent the client to the same address, encrypted.
    Redirected,
    /// The edge would not pass it on: it was unclear, too large, or had no route or no room.
    Refused,
    /// The client went away before the end.
    #[default]
    ClientGone,
}

impl RequestOutcome {
    /// As it stands in the log.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Broken => "broken",
            Self::TimedOut => "timed_out",
            Self::Unserved => "unserved",
            Self::Redirected => "redirected",
            Self::Refused => "refused",
            Self::ClientGone => "client_gone",
        }
    }
}

/// Method, host and path of a request, each cut where it is too long. One allocation holds them all.
#[derive(Debug, Clone)]
pub(crate) struct RequestText {
    text: Box<[u8]>,
    method_end: usize,
    host_end: usize,
}

impl RequestText {
    /// From a request's method, host and target, as they came. The query is left out: it may hold what must not be
    /// written down. Empty parts are those that the request did not have.
    pub(crate) fn new(method: &[u8], host: &[u8], target: &[u8]) -> Self {
        let path = target.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
        let method = cut(method, LONGEST_METHOD);
        let host = cut(host, LONGEST_HOST);
        let text: Box<[u8]> = [method, host, cut(path, LONGEST_PATH)].concat().into();
        Self { text, method_end: method.len(), host_end: method.len() + host.len() }
    }

    pub(super) fn method(&self) -> &[u8] {
        &self.text[..self.method_end]
    }

    pub(super) fn host(&self) -> &[u8] {
        &self.text[self.method_end..self.host_end]
    }

    pub(super) fn path(&self) -> &[u8] {
        &self.text[self.host_end..]
    }
}

fn cut(text: &[u8], longest: usize) -> &[u8] {
    text.get(..longest).unwrap_or(text)
}

#[cfg(test)]
pub(super) fn example() -> AccessEntry {
    AccessEntry {
        time_micros: 1_763_723_000_123_456,
        trace_id: *b"\x4b\xf9\x2f\x35\x77\xb3\x4d\xa6\xa3\xce\x92\x9d\x0e\x0e\x47\x36",
        client: IpAddr::from([203, 0, 113, 9]),
        request: RequestText::new(b"GET", b"shop.example.com", b"/cart?token=secret"),
        scheme: "https",
        protocol: "2",
        tls: true,
        status: Some(200),
        route: Some("production/web".into()),
        version: Some("1.4.0".into()),
        instance: Some("web-1.4.0-1".into()),
        duration_micros: 5_120,
        first_byte_micros: Some(4_870),
        bytes_in: 0,
        bytes_out: 18_213,
        retries: 1,
        outcome: RequestOutcome::Answered,
    }
}
