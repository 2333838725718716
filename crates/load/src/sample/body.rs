//! The bodies of answers.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use http_body_util::{Either, Full, StreamBody};
use hyper::body::{Body, Frame};
use serde_json::Value;

/// Ends an answer before it is whole.
pub(super) type BodyError = Box<dyn std::error::Error + Send + Sync>;

/// Data and trailers, as they become known.
pub(super) type Frames = Pin<Box<dyn Stream<Item = Result<Frame<Bytes>, BodyError>> + Send>>;

/// A body that is there at once, or that is made while it is sent.
pub(super) type AnswerBody = Either<Full<Bytes>, StreamBody<Frames>>;

pub(super) type Answer = Response<AnswerBody>;

/// An answer of a body that is there at once.
pub(super) fn whole(body: Bytes) -> Answer {
    Response::new(Either::Left(Full::new(body)))
}

/// An answer whose body is made while it is sent.
pub(super) fn streamed(
    frames: impl Stream<Item = Result<Frame<Bytes>, BodyError>> + Send + 'static,
) -> Answer {
    Response::new(Either::Right(StreamBody::new(Box::pin(frames))))
}

/// The same answer without its body, as HEAD is answered.
pub(super) fn head_of(answer: &Answer) -> Answer {
    let mut head = whole(Bytes::new());
    *head.status_mut() = answer.status();
    *head.headers_mut() = answer.headers().clone();
    if let Some(length) = answer.body().size_hint().exact() {
        head.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    head
}

pub(super) fn json(status: StatusCode, value: &Value) -> Answer {
    let mut answer = whole(Bytes::from(value.to_string()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
