//! A connection to an instance that speaks HTTP/1.1.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::connect::connect;
use super::link::{LinkFault, Outgoing};
use crate::Address;
use crate::http1::{HeadScanner, parse_response, write_field, write_request_line};
use crate::message::{BodyLength, Fields, Name, ResponseHead};
use crate::worker::body::{BodyFault, BodyReader, BodyWriter, Part};
use crate::worker::head::request_fields;
use crate::worker::stream::{Inlet, Outlet, Transport};
use crate::worker::thread::Worker;

/// Interim answers to one request. Whoever sends more has no answer, and would keep the thread from its other work.
const MOST_INTERIM: u32 = 100;

/// One connection to an instance that speaks HTTP/1.1.
pub(in crate::worker) struct Http1Link {
    pub(in crate::worker) io: Transport,
    pub(in crate::worker) inlet: Inlet,
    pub(in crate::worker) outlet: Outlet,
    worker: Rc<Worker>,
    scanner: HeadScanner,
    request: BodyWriter,
    answer: BodyReader,
    to_head: bool,
    /// Interim answers to this request so far.
    interim: u32,
    /// Whether the instance keeps the connection after this answer.
    keep_alive: bool,
    /// Bytes written before this request.
    written_before: u64,
    idle_since: Instant,
}

impl Http1Link {
    pub(super) async fn connect(address: &Address, limit: Duration, worker: Rc<Worker>) -> io::Result<Self> {
        let io = connect(address, limit).await?;
        Ok(Self {
            io,
            worker,
            inlet: Inlet::default(),
            outlet: Outlet::default(),
            scanner: HeadScanner::default(),
            request: BodyWriter::default(),
            answer: BodyReader::default(),
            to_head: false,
            interim: 0,
            keep_alive: false,
            written_before: 0,
            idle_since: Instant::now(),
        })
    }

    pub(super) fn begin(&mut self, request: Outgoing<'_>) {
        let head = request.head;
        self.to_head = head.is_head();
        self.interim = 0;
        self.keep_alive = false;
        self.written_before = self.outlet.written;
        self.scanner = HeadScanner::default();
        let text = self.outlet.text(&self.worker.buffers);
        write_request_line(text, head.method(), head.target());
        write_field(text, b"Host", request.told.host);
        let streamed = head.length == BodyLength::Streamed;
        for (name, value) in request_fields(head, request.told.drops_trace) {
            write_field(text, name, value);
        }
        for (_, name, value) in request.told.fields.iter() {
            write_field(text, name, value);
        }
        if head.fields.lists(Name::Te, "trailers") {
            write_field(text, b"TE", b"trailers");
        }
        if let Some(protocol) = head.fields.get(Name::Upgrade).filter(|_| request.upgrade) {
            write_field(text, b"Connection", b"upgrade");
            write_field(text, b"Upgrade", protocol);
        }
        self.request = BodyWriter::Plain;
        if streamed {
            text.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            self.request = BodyWriter::Chunks { left: 0 };
        }
        text.extend_from_slice(b"\r\n");
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.request.poll_write(cx, &mut self.io, &mut self.outlet, &self.worker.buffers, bytes)
    }

    pub(super) fn end(&mut self, trailers: &Fields) {
        self.request.end(&mut self.outlet, &self.worker.buffers, trailers);
    }

    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.outlet.poll_flush(cx, &mut self.io)
    }

    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), LinkFault>> {
        loop {
            match self.scanner.find(self.inlet.bytes()) {
                Err(_) => return Poll::Ready(Err(LinkFault::Nonsense)),
                Ok(Some(place)) => {
                    self.scanner = HeadScanner::default();
                    let end = place.end;
                    let parsed = parse_response(&self.inlet.bytes()[place], self.to_head, head);
                    self.inlet.take(end);
                    if parsed.is_err() {
                        return Poll::Ready(Err(LinkFault::Nonsense));
                    }
                    // Interim answers are between two neighbours; only a change of protocol is for the client.
                    if head.status >= 200 || head.status == 101 {
                        self.keep_alive = head.keep_alive && head.status != 101;
                        self.answer.begin(head.length);
                        return Poll::Ready(Ok(()));
                    }
                    self.interim += 1;
                    if self.interim > MOST_INTERIM {
                        return Poll::Ready(Err(LinkFault::Nonsense));
                    }
                }
                Ok(None) => {
                    if ready!(self.inlet.poll_fill(cx, &mut self.io, &self.worker.buffers))? == 0 {
                        return Poll::Ready(Err(LinkFault::Broken));
                    }
                }
            }
        }
    }

    pub(super) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, BodyFault>> {
        self.answer.poll(cx, &mut self.io, &mut self.inlet, &self.worker.buffers)
    }

    pub(super) fn body_data(&self) -> &[u8] {
        self.answer.data(&self.inlet)
    }

    pub(super) fn take_body(&mut self, bytes: usize) {
        self.answer.take(&mut self.inlet, bytes);
    }

    pub(super) fn body_trailers(&self) -> &Fields {
        &self.answer.trailers
    }

    pub(super) fn is_untouched(&self) -> bool {
        self.outlet.written == self.written_before && self.inlet.is_empty()
    }

    /// Whether another request can be sent on it.
    pub(super) fn is_reusable(&self) -> bool {
        self.keep_alive && self.answer.has_ended() && self.inlet.is_empty() && self.outlet.is_empty()
    }

    /// It is idle from now on.
    pub(super) fn rest(&mut self) {
        self.inlet.rest(&self.worker.buffers);
        self.outlet.rest(&self.worker.buffers);
        self.idle_since = Instant::now();
    }

    pub(super) fn idle_for(&self) -> Duration {
        self.idle_since.elapsed()
    }
}
