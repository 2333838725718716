//! The edge's own answers.

use crate::http1::HeadFault;
use crate::telemetry::RequestOutcome;

/// A short answer in plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::worker) struct Answer {
    pub(in crate::worker) status: u16,
    pub(in crate::worker) reason: &'static str,
    pub(in crate::worker) text: &'static str,
    /// It is worth trying again.
    pub(in crate::worker) again: bool,
    /// Nothing that follows on this connection can be trusted.
    pub(in crate::worker) last: bool,
    /// What the access log calls it.
    pub(super) outcome: RequestOutcome,
}

const fn plain(status: u16, reason: &'static str, text: &'static str) -> Answer {
    Answer { status, reason, text, again: false, last: false, outcome: RequestOutcome::Refused }
}

const fn refused(status: u16, reason: &'static str, text: &'static str) -> Answer {
    Answer { last: true, ..plain(status, reason, text) }
}

const fn late(answer: Answer) -> Answer {
    Answer { outcome: RequestOutcome::TimedOut, ..answer }
}

pub(super) const UNAVAILABLE: Answer = Answer {
    again: true,
    outcome: RequestOutcome::Unserved,
    ..plain(
        503,
        "Service Unavailable",
        "No instance of this service can take the request at the moment. Please try again.\n",
    )
};

pub(super) const FULL: Answer = Answer {
    again: true,
    ..plain(503, "Service Unavailable", "This service has as many requests as it takes. Please try again.\n")
};

pub(super) const MOVED: Answer = Answer {
    outcome: RequestOutcome::Redirected,
    ..plain(308, "Permanent Redirect", "This is served over an encrypted connection.\n")
};

pub(super) const MISDIRECTED: Answer =
    plain(421, "Misdirected Request", "This host is not served on this connection.\n");

pub(super) const UNKNOWN: Answer = plain(404, "Not Found", "Nothing is served here.\n");

pub(super) const AMBIGUOUS_PATH: Answer =
    plain(400, "Bad Request", "The path can be read in more than one way.\n");

pub(super) const BAD_GATEWAY: Answer = Answer {
    outcome: RequestOutcome::Broken,
    ..plain(502, "Bad Gateway", "The service broke off the connection before it answered.\n")
};

pub(super) const GATEWAY_TIMEOUT: Answer =
    late(plain(504, "Gateway Timeout", "The service did not answer in time.\n"));

pub(super) const BODY_UNREADABLE: Answer =
    refused(400, "Bad Request", "The body of the request could not be read.\n");

pub(super) const BODY_TOO_LARGE: Answer =
    refused(413, "Content Too Large", "The body of the request is larger than this service takes.\n");

pub(super) const BODY_TOO_SLOW: Answer =
    late(refused(408, "Request Timeout", "The body of the request did not come in time.\n"));

pub(in crate::worker) const HEAD_TOO_SLOW: Answer =
    late(refused(408, "Request Timeout", "The head of the request did not come in time.\n"));

pub(super) const NO_CONNECT: Answer = refused(501, "Not Implemented", "CONNECT is not supported here.\n");

/// What a client is told whose request cannot be read.
pub(in crate::worker) const fn unreadable(fault: HeadFault) -> Answer {
    match fault {
        HeadFault::Malformed => {
            refused(400, "Bad Request", "The request cannot be read, or can be read in more than one way.\n")
        }
        HeadFault::Host => {
            refused(400, "Bad Request", "The request has no usable Host header, or several.\n")
        }
        HeadFault::TooLarge => {
            refused(431, "Request Header Fields Too Large", "The head of the request is too large.\n")
        }
        HeadFault::UnknownCoding => {
            refused(400, "Bad Request", "The request has a transfer coding that is not known here.\n")
        }
        HeadFault::Version => {
            refused(505, "HTTP Version Not Supported", "This version of HTTP is not spoken here.\n")
        }
    }
}

/// Where the same is served encrypted. A port that was asked for is that of this connection, and is left out.
pub(super) fn https_location(host: &[u8], port: u16, target: &[u8]) -> Vec<u8> {
    let host = without_port(host);
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    // Only OPTIONS asks for all of a server.
    let target = if target == b"*" { b"/" } else { target };
    [b"https://", host, port.as_bytes(), target].concat()
}

/// A host without its port; the colons in an IPv6 address stand in brackets.
pub(in crate::worker) fn without_port(host: &[u8]) -> &[u8] {
    match host.iter().rposition(|byte| *byte == b':') {
        Some(colon) if !host[colon..].contains(&b']') => &host[..colon],
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_name_the_host_and_another_port() {
        let location =
            |host: &str, port| String::from_utf8(https_location(host.as_bytes(), port, b"/a?b")).unwrap();
        assert_eq!(location("shop.example:8080", 443), "https://shop.example/a?b");
        assert_eq!(location("shop.example", 8443), "https://shop.example:8443/a?b");
        assert_eq!(location("[::1]:80", 443), "https://[::1]/a?b");
        assert_eq!(location("[::1]", 443), "https://[::1]/a?b");
    }
}
