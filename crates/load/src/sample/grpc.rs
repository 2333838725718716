//! A gRPC service that echoes: `Unary`, `ClientStream`, `ServerStream` and `BidiStream` of [`SERVICE`]. `ClientStream` answers
//! with all messages joined to one.
//!
//! A caller says what it wants in metadata: `sample-status` a failure with that status, `sample-delay-ms` a late answer,
//! `sample-count` and `sample-pause-ms` how often and how fast `ServerStream` repeats the message, and `sample-echo` comes
//! back as it is. Answers carry `sample-version`, and end with `sample-messages`, how many there were.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Version};
use hyper::body::{Frame, Incoming};
use tokio::time::{Instant, sleep, timeout_at};

use super::answer::{Answerer, mark_failure};
use super::body::{Answer, BodyError, streamed, whole};
use crate::grpc::{self, MessageError, Messages};

/// The service's full name, as it stands in the path.
pub const SERVICE: &str = "pilotage.sample.Echo";

/// The longest that a call waits or runs when its caller sets no deadline.
const LONGEST: Duration = Duration::from_secs(3_600);

const INVALID_ARGUMENT: u32 = 3;
const DEADLINE_EXCEEDED: u32 = 4;
const UNIMPLEMENTED: u32 = 12;
const INTERNAL: u32 = 13;

/// How a call ends, if not well.
#[derive(Debug)]
struct Status {
    code: u32,
    message: String,
    planted: bool,
}

/// What the caller wants, from its metadata.
#[derive(Debug)]
struct Wishes {
    deadline: Instant,
    delay: Duration,
    status: Option<u32>,
    count: u64,
    pause: Duration,
}

pub(super) fn is_call(request: &Request<Incoming>) -> bool {
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    request.version() == Version::HTTP_2
        && kind.is_some_and(|kind| kind.starts_with(grpc::CONTENT_TYPE.as_bytes()))
}

pub(super) async fn answer(answerer: &Answerer, request: Request<Incoming>) -> Answer {
    let wishes = Wishes::read(request.headers());
    let echoed = request.headers().get("sample-echo").cloned();
    let mut answer = match timeout_at(wishes.deadline, call(answerer, &wishes, request)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(status)) => status.alone(),
        Err(_elapsed) => Status::late().alone(),
    };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(grpc::CONTENT_TYPE));
    if let Ok(version) = HeaderValue::from_str(&answerer.settings.version) {
        headers.insert("sample-version", version);
    }
    if let Some(echoed) = echoed {
        headers.insert("sample-echo", echoed);
    }
    answer
}

async fn call(answerer: &Answerer, wishes: &Wishes, request: Request<Incoming>) -> Result<Answer, Status> {
    let path = request.uri().path().to_owned();
    let method = path.strip_prefix('/').and_then(|path| path.split_once('/'));
    let method = method.filter(|(service, _)| *service == SERVICE && request.method() == Method::POST);
    let mut messages = Messages::new(request.into_body());
    let work = answerer.work().await;
    sleep(wishes.delay).await;
    if work.fails {
        return Err(Status { planted: true, ..Status::new(INTERNAL, "failed as its settings say") });
    }
    if let Some(code) = wishes.status {
        return Err(Status { planted: true, ..Status::new(code, "failed as its caller asked") });
    }
    match method {
        Some((_, "Unary")) => Ok(unary(only(&mut messages).await?)),
        Some((_, "ClientStream")) => Ok(unary(joined(&mut messages).await?)),
        Some((_, "ServerStream")) => {
            let message = only(&mut messages).await?;
            let source = Source::Repeated { message, count: wishes.count, pause: wishes.pause };
            Ok(stream_of(source, wishes.deadline))
        }
        Some((_, "BidiStream")) => Ok(stream_of(Source::Received(messages), wishes.deadline)),
        _ => Err(Status::new(UNIMPLEMENTED, "there is no such method")),
    }
}

/// The message of a call that has one.
async fn only(messages: &mut Messages<Incoming>) -> Result<Bytes, Status> {
    let first = messages.next().await.map_err(Status::unreadable)?;
    let first = first.ok_or_else(|| Status::new(INVALID_ARGUMENT, "there is no message"))?;
    match messages.next().await.map_err(Status::unreadable)? {
        None => Ok(first),
        Some(_) => Err(Status::new(INVALID_ARGUMENT, "there is more than one message")),
    }
}

/// All messages of a call, one behind the other.
async fn joined(messages: &mut Messages<Incoming>) -> Result<Bytes, Status> {
    let mut joined = BytesMut::new();
    while let Some(message) = messages.next().await.map_err(Status::unreadable)? {
        joined.extend_from_slice(&message);
        if joined.len() > grpc::MESSAGE_LIMIT_BYTES {
            return Err(Status::unreadable(MessageError::TooLong(joined.len())));
        }
    }
    Ok(joined.freeze())
}

fn unary(message: Bytes) -> Answer {
    let frames = [Frame::data(grpc::framed(&message)), Frame::trailers(ending(1, None))];
    streamed(stream::iter(frames.map(Ok)))
}

/// Where the messages of an answer come from.
#[derive(Debug)]
enum Source {
    /// The same again and again.
    Repeated { message: Bytes, count: u64, pause: Duration },
    /// The caller.
    Received(Messages<Incoming>),
}

impl Source {
    async fn next(&mut self, sent: u64) -> Result<Option<Bytes>, MessageError<hyper::Error>> {
        match self {
            Self::Received(messages) => messages.next().await,
            Self::Repeated { count, .. } if sent >= *count => Ok(None),
            Self::Repeated { message, pause, .. } => {
                if sent > 0 {
                    sleep(*pause).await;
                }
                Ok(Some(message.clone()))
            }
        }
    }
}

/// Sends messages until there are no more or the deadline has passed.
fn stream_of(source: Source, deadline: Instant) -> Answer {
    streamed(stream::unfold(Some((0, source)), move |state| async move {
        let (sent, mut source) = state?;
        let ended = match timeout_at(deadline, source.next(sent)).await {
            Ok(Ok(Some(message))) => {
                return Some((Ok(Frame::data(grpc::framed(&message))), Some((sent + 1, source))));
            }
            Ok(Ok(None)) => None,
            // The caller is gone: there is nobody to tell.
            Ok(Err(MessageError::Body(error))) => return Some((Err(BodyError::from(error)), None)),
            Ok(Err(error)) => Some(Status::unreadable(error)),
            Err(_elapsed) => Some(Status::late()),
        };
        Some((Ok(Frame::trailers(ending(sent, ended.as_ref()))), None))
    }))
}

/// The trailers of an answer.
fn ending(messages: u64, status: Option<&Status>) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert(HeaderName::from_static("sample-messages"), HeaderValue::from(messages));
    let code = status.map_or(grpc::OK, |status| status.code);
    trailers.insert(HeaderName::from_static(grpc::STATUS), HeaderValue::from(code));
    if let Some(message) = status.and_then(|status| HeaderValue::from_str(&status.message).ok()) {
        trailers.insert(HeaderName::from_static(grpc::MESSAGE), message);
    }
    trailers
}

impl Status {
    fn new(code: u32, message: &str) -> Self {
        Self { code, message: message.to_owned(), planted: false }
    }

    fn late() -> Self {
        Self::new(DEADLINE_EXCEEDED, "not done within the caller's deadline")
    }

    fn unreadable(error: MessageError<hyper::Error>) -> Self {
        let code = match error {
            MessageError::Compressed => UNIMPLEMENTED,
            MessageError::TooLong(_) | MessageError::Truncated => INVALID_ARGUMENT,
            MessageError::Body(_) => INTERNAL,
        };
        Self::new(code, &error.to_string())
    }

    /// An answer without messages, whose head is its end.
    fn alone(&self) -> Answer {
        let mut answer = whole(Bytes::new());
        *answer.headers_mut() = ending(0, Some(self));
        if self.planted {
            mark_failure(&mut answer);
        }
        answer
    }
}

impl Wishes {
    fn read(headers: &HeaderMap) -> Self {
        let number = |name: &str| -> Option<u64> { headers.get(name)?.to_str().ok()?.parse().ok() };
        let millis = |name: &str| Duration::from_millis(number(name).unwrap_or(0)).min(LONGEST);
        Self {
            deadline: Instant::now() + grpc::timeout(headers).unwrap_or(LONGEST).min(LONGEST),
            delay: millis("sample-delay-ms"),
            status: number("sample-status").and_then(|code| u32::try_from(code).ok()),
            count: number("sample-count").unwrap_or(1),
            pause: millis("sample-pause-ms"),
        }
    }
}
