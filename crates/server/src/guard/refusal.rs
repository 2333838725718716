//! What is said to those who are not let through.

use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};

use crate::error::{ErrorBody, ErrorKind};

/// Why somebody is not let through.
pub(super) struct Refusal {
    body: ErrorBody,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// Somebody asks too often.
    pub(super) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let body =
            ErrorBody::new(ErrorKind::TooMany, "too many requests").help(format!("try again in {seconds} s"));
        Self { body, retry_after: Some(wait) }
    }
}

/// Nobody knows who asks.
pub(super) fn unauthenticated(message: impl Into<String>) -> ErrorBody {
    ErrorBody::new(ErrorKind::Unauthenticated, message)
        .help("`pilotage login`, or give a token in PILOTAGE_TOKEN; see docs/access.md")
}

/// Somebody may not do what they ask for.
pub(super) fn forbidden(message: impl Into<String>) -> ErrorBody {
    ErrorBody::new(ErrorKind::Forbidden, message)
        .help("`pilotage whoami` shows what you may do; roles stand under `access` in pilotage.yaml")
}

impl From<ErrorBody> for Refusal {
    fn from(body: ErrorBody) -> Self {
        Self { body, retry_after: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let is_unknown = self.body.kind == ErrorKind::Unauthenticated;
        let mut response = self.body.into_response();
        if is_unknown {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
        }
        response
    }
}
