//! One stream, as its exchange holds it.

use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::{Connection, Hold};
use crate::http2::{Broken, HeadWriter, Next, Reason, Slot};
use crate::message::{BodyLength, Fields, Protocol, RequestHead, ResponseHead};
use crate::worker::body::{BodyFault, Part, may_trail};

/// One stream. When it is dropped it is broken off, unless both ends have said all they had to say.
pub(in crate::worker) struct Stream {
    connection: Hold,
    slot: Slot,
    /// Data that has come, and how much of it was used.
    data: Vec<u8>,
    used: usize,
    trailers: Fields,
    /// Nothing more of what may come is of interest.
    ended: bool,
    /// How much of our body is still to come, where that is known: the last piece then ends the stream.
    left: Option<u64>,
}

impl Stream {
    pub(in crate::worker) fn new(connection: &Rc<Connection>, slot: Slot) -> Self {
        Self::held(Hold::on(connection), slot)
    }

    pub(in crate::worker) fn held(connection: Hold, slot: Slot) -> Self {
        let (data, trailers) = (Vec::new(), Fields::default());
        Self { connection, slot, data, used: 0, trailers, ended: false, left: None }
    }

    /// Takes back a head that is not needed any more, for another request on the connection.
    pub(in crate::worker) fn give_back(&self, head: RequestHead) {
        self.connection.session().give_back(head);
    }

    /// Says fields: those of a head, after which a body of this length follows, which comes from a message in the protocol
    /// `source`.
    pub(in crate::worker) fn begin(
        &mut self,
        length: BodyLength,
        source: Protocol,
        write: impl FnOnce(&mut HeadWriter<'_>),
    ) {
        self.expect(length, source);
        self.connection.session().write_fields(self.slot, length == BodyLength::Empty, write);
    }

    /// Says fields after which the head is still to come.
    pub(in crate::worker) fn say_interim(&mut self, write: impl FnOnce(&mut HeadWriter<'_>)) {
        self.connection.session().write_fields(self.slot, false, write);
    }

    /// Our body is going to have this length. It comes from a message in this protocol: in HTTP/2 trailers may follow
    /// whatever length was said, and the last piece is not the end.
    pub(in crate::worker) fn expect(&mut self, length: BodyLength, source: Protocol) {
        self.left = match length {
            BodyLength::Known(left) if source != Protocol::Http2 => Some(left),
            _ => None,
        };
    }

    pub(in crate::worker) fn poll_answer(
        &mut self,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), Broken>> {
        self.connection.session().poll_answer(self.slot, cx, head)
    }

    /// Nothing that may still come is of interest.
    pub(in crate::worker) fn ignore_body(&mut self) {
        self.ended = true;
    }

    pub(in crate::worker) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Part, BodyFault>> {
        if self.used < self.data.len() {
            return Poll::Ready(Ok(Part::Data));
        }
        if self.ended {
            return Poll::Ready(Ok(Part::End));
        }
        self.data.clear();
        self.used = 0;
        let mut session = self.connection.session();
        match ready!(session.poll_read(self.slot, cx, &mut self.data, &mut self.trailers)) {
            Ok(Next::Data) => Poll::Ready(Ok(Part::Data)),
            Ok(Next::End) => {
                self.ended = true;
                Poll::Ready(Ok(Part::End))
            }
            Err(_) => Poll::Ready(Err(BodyFault::Broken)),
        }
    }

    pub(in crate::worker) fn body_data(&self) -> &[u8] {
        &self.data[self.used..]
    }

    pub(in crate::worker) fn take_body(&mut self, bytes: usize) {
        let bytes = bytes.min(self.data.len() - self.used);
        self.used += bytes;
        self.connection.session().give_credit(Some(self.slot), bytes);
    }

    pub(in crate::worker) fn body_trailers(&self) -> &Fields {
        &self.trailers
    }

    pub(in crate::worker) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let last = self.left == Some(bytes.len() as u64);
        let written = ready!(self.connection.session().poll_write(self.slot, cx, bytes, last));
        let taken = written.map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.left = self.left.map(|left| left.saturating_sub(taken as u64));
        Poll::Ready(Ok(taken))
    }

    /// Nothing follows but these trailers.
    pub(in crate::worker) fn end(&mut self, trailers: &Fields) {
        let mut session = self.connection.session();
        let mut trailers = trailers.iter().filter(|(known, ..)| may_trail(*known)).peekable();
        if trailers.peek().is_none() {
            return session.finish(self.slot);
        }
        session.write_fields(self.slot, true, |head| {
            trailers.for_each(|(_, name, value)| head.field(name, value));
        });
    }

    /// Ready when the other end has broken the stream off, or the connection is gone.
    pub(in crate::worker) fn poll_broken(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.session().poll_broken(self.slot, cx)
    }

    /// Breaks the stream off, so that what was sent is never taken for a whole message.
    pub(in crate::worker) fn break_off(&mut self, reason: Reason) {
        self.connection.session().break_off(self.slot, reason);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let unused = self.data.len() - self.used;
        let mut session = self.connection.session();
        session.give_credit(None, unused);
        session.return_memory(self.slot, std::mem::take(&mut self.data), std::mem::take(&mut self.trailers));
        session.release(self.slot);
    }
}
