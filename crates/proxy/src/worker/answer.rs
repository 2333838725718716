//! The edge's own answers.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use super::body::ReplyBody;

/// A short answer in plain text.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::Text(Some(Bytes::from_static(text.as_bytes()))));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Nothing can take the request now; it is worth trying again.
pub(super) fn unavailable() -> Response<ReplyBody> {
    let text = "No instance of this service can take the request at the moment. Please try again.\n";
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, text);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The request cannot be trusted, nor what follows it on this connection.
pub(super) fn refused(status: StatusCode, text: &'static str) -> Response<ReplyBody> {
    let mut response = plain(status, text);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

pub(super) fn bad_gateway() -> Response<ReplyBody> {
    plain(StatusCode::BAD_GATEWAY, "The service broke off the connection before it answered.\n")
}

pub(super) fn gateway_timeout() -> Response<ReplyBody> {
    plain(StatusCode::GATEWAY_TIMEOUT, "The service did not answer in time.\n")
}
