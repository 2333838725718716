//! A client that speaks HTTP/2: one stream of its connection is one exchange.

use std::io;
use std::task::{Context, Poll};

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{Reason, RecvStream};
use http::{Response, StatusCode};

use super::ClientEnd;
use crate::message::{BodyLength, Fields, ResponseHead, write_field};
use crate::worker::body::{BodyFault, Part};
use crate::worker::head::answer_fields;
use crate::worker::http2::{Sink, Source};

/// The client's end of one stream.
pub(in crate::worker) struct Http2Client {
    body: Source,
    respond: SendResponse<Bytes>,
    answer: Option<Sink>,
    to_head: bool,
}

impl Http2Client {
    pub(super) fn new(body: RecvStream, respond: SendResponse<Bytes>, to_head: bool) -> Self {
        Self { body: Source::new(body), respond, answer: None, to_head }
    }

    /// The exchange is over without a whole answer.
    pub(super) fn cut(mut self) {
        match &mut self.answer {
            Some(answer) => answer.reset(Reason::INTERNAL_ERROR),
            None => self.respond.send_reset(Reason::INTERNAL_ERROR),
        }
    }
}

impl ClientEnd for Http2Client {
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, BodyFault>> {
        self.body.poll(cx)
    }

    fn body_data(&self) -> &[u8] {
        self.body.data()
    }

    fn take_body(&mut self, bytes: usize) {
        self.body.take(bytes);
    }

    fn body_trailers(&self) -> &Fields {
        &self.body.trailers
    }

    fn begin(&mut self, head: &ResponseHead, added: &Fields, _last: bool) {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(head.status).unwrap_or(StatusCode::BAD_GATEWAY);
        let map = response.headers_mut();
        map.reserve(head.fields.iter().count() + 2);
        for (name, value) in answer_fields(head) {
            write_field(map, name, value);
        }
        for (_, name, value) in added.iter() {
            write_field(map, name, value);
        }
        let ended = head.length == BodyLength::Empty || self.to_head;
        // Whoever has reset the stream does not want the answer; nothing is written into it then.
        self.answer = match self.respond.send_response(response, ended) {
            Ok(stream) if !ended => Some(Sink::new(stream, head.length)),
            Ok(_) | Err(_) => Some(Sink::default()),
        };
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.answer {
            Some(answer) => answer.poll_write(cx, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn end(&mut self, trailers: &Fields) {
        if let Some(answer) = &mut self.answer {
            answer.end(trailers);
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What was handed to a stream is sent by its connection.
        Poll::Ready(Ok(()))
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.answer {
            Some(answer) => answer.poll_reset(cx),
            None => self.respond.poll_reset(cx).map(|_| ()),
        }
    }

    fn wanted_upgrade(&self) -> bool {
        false
    }
}
