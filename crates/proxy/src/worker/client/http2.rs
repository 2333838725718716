//! A client that speaks HTTP/2: one stream of its connection is one exchange.

use std::io;
use std::task::{Context, Poll};

use super::ClientEnd;
use crate::http2::Reason;
use crate::message::{BodyLength, Fields, Name, RequestHead, ResponseHead};
use crate::worker::body::{BodyFault, Part};
use crate::worker::head::answer_fields;
use crate::worker::http2::Stream;

/// The client's end of one stream.
pub(in crate::worker) struct Http2Client {
    stream: Stream,
    to_head: bool,
    /// The client sends its body when it is told to go on.
    waits: bool,
}

impl Http2Client {
    pub(super) fn new(stream: Stream, head: &RequestHead) -> Self {
        let waits = head.length != BodyLength::Empty && head.fields.lists(Name::Expect, "100-continue");
        Self { stream, to_head: head.is_head(), waits }
    }

    /// The exchange is over without a whole answer.
    pub(super) fn cut(mut self) {
        self.stream.break_off(Reason::INTERNAL_ERROR);
    }
}

impl ClientEnd for Http2Client {
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, BodyFault>> {
        let part = self.stream.poll_body(cx);
        if std::mem::take(&mut self.waits) && part.is_pending() {
            self.stream.say_interim(|head| head.field(b":status", b"100"));
        }
        part
    }

    fn body_data(&self) -> &[u8] {
        self.stream.body_data()
    }

    fn take_body(&mut self, bytes: usize) {
        self.stream.take_body(bytes);
    }

    fn body_trailers(&self) -> &Fields {
        self.stream.body_trailers()
    }

    fn begin(&mut self, head: &ResponseHead, added: &Fields, _last: bool) {
        self.waits = false;
        let length = if self.to_head { BodyLength::Empty } else { head.length };
        self.stream.begin(length, head.protocol, |out| {
            let digits = [head.status / 100 % 10, head.status / 10 % 10, head.status % 10];
            out.field(b":status", &digits.map(|digit| b'0' + digit as u8));
            for (name, value) in answer_fields(head) {
                out.field(name, value);
            }
            for (_, name, value) in added.iter() {
                out.field(name, value);
            }
        });
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_write(cx, bytes)
    }

    fn end(&mut self, trailers: &Fields) {
        self.stream.end(trailers);
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What was handed to a stream is sent by its connection.
        Poll::Ready(Ok(()))
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.stream.poll_broken(cx)
    }

    fn wanted_upgrade(&self) -> bool {
        false
    }
}
