//! A client that speaks HTTP/1.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::BytesMut;

use super::ClientEnd;
use crate::http1::{HeadFault, HeadScanner, parse_request, write_field, write_status_line};
use crate::message::{BodyLength, Fields, Name, Protocol, RequestHead, ResponseHead};
use crate::worker::body::{BodyFault, BodyReader, BodyWriter, Part};
use crate::worker::head::{answer_fields, asks_for_upgrade};
use crate::worker::stream::{Inlet, Outlet, Transport};
use crate::worker::thread::Worker;

/// Most bytes of further requests that are read while one is being answered: enough to notice that a client has gone.
const MOST_READ_AHEAD: usize = 64 * 1024;

/// One connection of a client that speaks HTTP/1.
pub(in crate::worker) struct Http1Client {
    pub(in crate::worker) io: Transport,
    pub(in crate::worker) inlet: Inlet,
    pub(in crate::worker) outlet: Outlet,
    worker: Rc<Worker>,
    scanner: HeadScanner,
    body: BodyReader,
    answer: BodyWriter,
    /// What of the request matters for its answer.
    protocol: Protocol,
    to_head: bool,
    upgrade: bool,
    /// The client waits for `100 Continue` before it sends the body.
    waits: bool,
    keep_alive: bool,
}

impl Http1Client {
    pub(super) fn new(io: Transport, worker: Rc<Worker>) -> Self {
        Self {
            io,
            worker,
            inlet: Inlet::default(),
            outlet: Outlet::default(),
            scanner: HeadScanner::default(),
            body: BodyReader::default(),
            answer: BodyWriter::default(),
            protocol: Protocol::Http11,
            to_head: false,
            upgrade: false,
            waits: false,
            keep_alive: true,
        }
    }

    /// Reads the next request's head; `false` when the client has closed the connection.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut RequestHead,
    ) -> Poll<io::Result<Result<bool, HeadFault>>> {
        loop {
            match self.scanner.find(self.inlet.bytes()) {
                Ok(None) => {}
                Ok(Some(_)) if self.speaks_http2() => return Poll::Ready(Ok(Err(HeadFault::Version))),
                Ok(Some(place)) => {
                    self.scanner = HeadScanner::default();
                    let end = place.end;
                    let parsed = parse_request(&self.inlet.bytes()[place], head);
                    self.inlet.take(end);
                    self.begin_request(head, parsed.is_ok());
                    return Poll::Ready(Ok(parsed.map(|()| true)));
                }
                Err(fault) => {
                    self.begin_request(head, false);
                    return Poll::Ready(Ok(Err(fault)));
                }
            }
            if ready!(self.inlet.poll_fill(cx, &mut self.io, &self.worker.buffers))? == 0 {
                return Poll::Ready(Ok(Ok(false)));
            }
        }
    }

    /// Whether what has come is the beginning of HTTP/2 (RFC 9113, section 3.4), which looks like a request.
    pub(super) fn speaks_http2(&self) -> bool {
        self.inlet.bytes().starts_with(b"PRI * HTTP/2.0\r\n\r\n") && self.outlet.written == 0
    }

    /// The connection, and what has been read from it and not used.
    pub(super) fn into_parts(self) -> (Transport, BytesMut) {
        (self.io, self.inlet.into_bytes())
    }

    fn begin_request(&mut self, head: &RequestHead, readable: bool) {
        self.protocol = if readable { head.protocol } else { Protocol::Http11 };
        self.keep_alive = readable && head.keep_alive;
        self.to_head = readable && head.is_head();
        self.upgrade = readable && asks_for_upgrade(head);
        // A client of HTTP/1.0 would take an interim answer for its answer.
        let may_wait = readable && head.protocol == Protocol::Http11;
        self.waits = may_wait && head.fields.lists(Name::Expect, "100-continue");
        self.body.begin(if readable { head.length } else { BodyLength::Empty });
    }

    /// Whether the head of a request has begun and not ended.
    pub(super) fn is_within_head(&self) -> bool {
        self.scanner.has_begun() && !self.inlet.is_empty()
    }

    /// Whether the next request can be read from this connection.
    pub(super) fn can_go_on(&self) -> bool {
        self.keep_alive && self.body.has_ended()
    }

    /// Whether the client may still be sending something that nobody is going to read.
    pub(super) fn has_unread(&self) -> bool {
        !self.body.has_ended() || !self.inlet.is_empty()
    }

    /// Waits for the next request without holding memory.
    pub(super) fn rest(&mut self) {
        self.inlet.rest(&self.worker.buffers);
        self.outlet.rest(&self.worker.buffers);
    }

    fn write_framing(&mut self, head: &ResponseHead) {
        let text = self.outlet.text(&self.worker.buffers);
        self.answer = BodyWriter::Plain;
        match head.length {
            BodyLength::Streamed | BodyLength::UntilClose if self.protocol == Protocol::Http10 => {
                self.keep_alive = false;
            }
            BodyLength::Streamed | BodyLength::UntilClose => {
                text.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
                self.answer = BodyWriter::Chunks { left: 0 };
            }
            BodyLength::Empty if says_its_length(head, self.to_head) => {
                text.extend_from_slice(b"Content-Length: 0\r\n");
            }
            BodyLength::Empty | BodyLength::Known(_) => {}
        }
        if !self.keep_alive {
            text.extend_from_slice(b"Connection: close\r\n");
        } else if self.protocol == Protocol::Http10 {
            text.extend_from_slice(b"Connection: keep-alive\r\n");
        }
    }
}

/// Whether an answer without a body has to say so.
fn says_its_length(head: &ResponseHead, to_head: bool) -> bool {
    !to_head
        && head.status >= 200
        && head.status != 204
        && head.status != 304
        && head.fields.get(Name::ContentLength).is_none()
}

impl ClientEnd for Http1Client {
    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, BodyFault>> {
        if std::mem::take(&mut self.waits) && !self.body.has_ended() && self.inlet.is_empty() {
            self.outlet.text(&self.worker.buffers).extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        if !self.outlet.is_empty() {
            // Only the line above can be in it before the answer, and both ways go on at once after that.
            let _ = self.outlet.poll_flush(cx, &mut self.io)?;
        }
        self.body.poll(cx, &mut self.io, &mut self.inlet, &self.worker.buffers)
    }

    fn body_data(&self) -> &[u8] {
        self.body.data(&self.inlet)
    }

    fn take_body(&mut self, bytes: usize) {
        self.body.take(&mut self.inlet, bytes);
    }

    fn body_trailers(&self) -> &Fields {
        &self.body.trailers
    }

    fn begin(&mut self, head: &ResponseHead, added: &Fields, last: bool) {
        // A body that nobody reads on stands between this request and the next.
        self.keep_alive &= !last && self.body.has_ended();
        let text = self.outlet.text(&self.worker.buffers);
        write_status_line(text, head);
        for (name, value) in answer_fields(head) {
            write_field(text, name, value);
        }
        for (_, name, value) in added.iter() {
            write_field(text, name, value);
        }
        self.write_framing(head);
        self.outlet.text(&self.worker.buffers).extend_from_slice(b"\r\n");
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.answer.poll_write(cx, &mut self.io, &mut self.outlet, &self.worker.buffers, bytes)
    }

    fn end(&mut self, trailers: &Fields) {
        self.answer.end(&mut self.outlet, &self.worker.buffers, trailers);
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outlet.poll_flush(cx, &mut self.io)
    }

    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // What comes now belongs to the next request.
        while self.inlet.bytes().len() < MOST_READ_AHEAD {
            match ready!(self.inlet.poll_fill(cx, &mut self.io, &self.worker.buffers)) {
                Ok(0) | Err(_) => return Poll::Ready(()),
                Ok(_) => {}
            }
        }
        Poll::Pending
    }

    fn wanted_upgrade(&self) -> bool {
        self.upgrade
    }
}
