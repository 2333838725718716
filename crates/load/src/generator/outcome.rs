//! How a request can end.

use std::error::Error;
use std::io;
use std::time::Duration;

use http::{HeaderMap, HeaderValue, StatusCode};

use super::report::Outcomes;
use crate::grpc;
use crate::sample::FAILURE_HEADER;

/// The response header with which the edge names the version that answered.
const VERSION_HEADER: &str = "pilotage-version";

/// A whole answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// The version that the edge named, or nothing.
    pub(super) version: String,
    pub(super) verdict: Verdict,
    /// It took a second attempt.
    pub(super) resent: bool,
}

/// What an answer counts as.
#[derive(Debug)]
pub(super) enum Verdict {
    Ok,
    FailedByService,
    Rejected,
    /// An answer, but not one of the service's.
    Dropped(Dropped),
}

/// A request without a whole answer.
#[derive(Debug)]
pub(super) struct Dropped {
    pub(super) reason: String,
    pub(super) detail: String,
}

impl Answer {
    pub(super) fn new(headers: &HeaderMap, verdict: Verdict) -> Self {
        Self { version: version(headers), verdict, resent: false }
    }
}

/// The version that the edge named in the head of an answer, or nothing.
pub(super) fn version(headers: &HeaderMap) -> String {
    let version = headers.get(VERSION_HEADER).map(HeaderValue::to_str);
    version.and_then(Result::ok).unwrap_or_default().to_owned()
}

impl Verdict {
    pub(super) fn of(status: StatusCode, headers: &HeaderMap) -> Self {
        let made_by_an_edge = matches!(
            status,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        );
        match status.as_u16() {
            500.. if made_by_an_edge && !headers.contains_key(FAILURE_HEADER) => Self::Dropped(Dropped {
                reason: status.as_str().to_owned(),
                detail: format!("answered {status} without the service's mark"),
            }),
            500.. => Self::FailedByService,
            400..500 => Self::Rejected,
            _ => Self::Ok,
        }
    }

    /// Of a gRPC call: what its head and its trailers say. A failure in its head alone has no trailers.
    pub(super) fn of_call(status: StatusCode, head: &HeaderMap, trailers: Option<&HeaderMap>) -> Self {
        if status != StatusCode::OK {
            return Self::of(status, head);
        }
        match trailers.and_then(grpc::status).or_else(|| grpc::status(head)) {
            Some(grpc::OK) => Self::Ok,
            Some(_) if head.contains_key(FAILURE_HEADER) => Self::FailedByService,
            Some(code) => Self::Dropped(Dropped {
                reason: format!("grpc-{code}"),
                detail: format!("ended with grpc-status {code} without the service's mark"),
            }),
            None => Self::Dropped(Dropped::cut("the answer ended without a grpc-status")),
        }
    }

    pub(super) fn count(&self, outcomes: &mut Outcomes) {
        match self {
            Self::Ok => outcomes.ok += 1,
            Self::FailedByService => outcomes.failed_by_service += 1,
            Self::Rejected => outcomes.rejected += 1,
            Self::Dropped(_) => outcomes.dropped += 1,
        }
    }
}

impl Dropped {
    pub(super) fn new(reason: &str, detail: impl ToString) -> Self {
        Self { reason: reason.to_owned(), detail: detail.to_string() }
    }

    pub(super) fn cut(detail: impl ToString) -> Self {
        Self::new("cut", detail)
    }

    pub(super) fn altered() -> Self {
        Self::new("altered", "the answer is not what was sent")
    }

    pub(super) fn timeout(after: Duration) -> Self {
        Self::new("timeout", format!("no whole answer within {after:?}"))
    }

    pub(super) fn from_io(error: &io::Error) -> Self {
        let reason = match error.kind() {
            io::ErrorKind::ConnectionRefused => "refused",
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "reset",
            io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof => "cut",
            _ => "other",
        };
        Self::new(reason, error)
    }

    pub(super) fn from_hyper(error: &hyper::Error) -> Self {
        if let Some(error) = cause::<h2::Error>(error).filter(|error| !error.is_io()) {
            let reason = if error.is_go_away() { "goaway" } else { "reset" };
            return Self::new(reason, error);
        }
        if let Some(io) = cause::<io::Error>(error) {
            return Self { detail: format!("{error}: {io}"), ..Self::from_io(io) };
        }
        Self::new(if error.is_parse() { "malformed" } else { "cut" }, error)
    }
}

/// The other side said that it closes the connection in order, and that it has not looked at this request and will not
/// (RFC 9113, section 6.8): the request is to be sent on another connection.
pub(super) fn was_not_taken(error: &hyper::Error) -> bool {
    cause::<h2::Error>(error).is_some_and(|error| {
        error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR)
    })
}

/// What is behind an error, if it is of this type.
fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut error = Some(error);
    while let Some(here) = error {
        if let Some(found) = here.downcast_ref() {
            return Some(found);
        }
        error = here.source();
    }
    None
}
