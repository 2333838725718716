//! Moves the bytes of a connection.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::Connection;
use crate::worker::stream::{Inlet, Outlet, Transport};
use crate::worker::thread::Worker;

/// Reads from one connection before others have their turn, however fast the other end sends.
const MOST_READS: u32 = 8;

/// Most bytes that are read and thrown away from a connection that is over.
const MOST_LAST_WORDS: usize = 1024 * 1024;

/// Reads and writes for a [`Connection`].
pub(in crate::worker) struct Driver {
    connection: Rc<Connection>,
    worker: Rc<Worker>,
    io: Transport,
    inlet: Inlet,
    outlet: Outlet,
    /// The other end has been told that nothing more comes.
    said_all: bool,
    /// What has come since then.
    last_words: usize,
}

impl Driver {
    /// `inlet` may hold what was read from the socket before.
    pub(in crate::worker) fn new(
        connection: Rc<Connection>,
        worker: Rc<Worker>,
        io: Transport,
        inlet: Inlet,
    ) -> Self {
        Self { connection, worker, io, inlet, outlet: Outlet::default(), said_all: false, last_words: 0 }
    }

    /// Goes as far as it can: until there is nothing more to read or write, or requests have come. Ready when the connection
    /// has ended.
    pub(in crate::worker) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.session().drive();
        match self.go_on(cx) {
            Ok(Poll::Pending) => {
                self.connection.session().rest(cx);
                Poll::Pending
            }
            Ok(Poll::Ready(())) | Err(_) => {
                self.connection.session().lose();
                Poll::Ready(())
            }
        }
    }

    /// Whether the connection is over, and everything was sent: the other end has only to notice.
    pub(in crate::worker) fn has_said_all(&self) -> bool {
        self.said_all
    }

    fn go_on(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        for _ in 0..MOST_READS {
            self.receive();
            let flushed = self.poll_flush(cx)?;
            {
                let session = self.connection.session();
                if session.is_done() {
                    drop(session);
                    return Ok(self.poll_end(cx, flushed));
                }
                if session.has_accepted() {
                    // There may be more to read, but what has come is looked at first.
                    cx.waker().wake_by_ref();
                    return Ok(Poll::Pending);
                }
                if session.is_clogged() {
                    return Ok(Poll::Pending);
                }
            }
            match self.inlet.poll_fill(cx, &mut self.io, &self.worker.buffers) {
                Poll::Ready(Ok(0)) => return Ok(Poll::Ready(())),
                Poll::Ready(read) => drop(read?),
                Poll::Pending => {
                    self.outlet.rest(&self.worker.buffers);
                    return Ok(Poll::Pending);
                }
            }
        }
        cx.waker().wake_by_ref();
        Ok(Poll::Pending)
    }

    fn receive(&mut self) {
        if self.inlet.is_empty() {
            return;
        }
        let mut session = self.connection.session();
        match session.receive(self.inlet.bytes()) {
            Ok(used) => self.inlet.take(used),
            Err(reason) => {
                session.close(reason);
                self.inlet.take(usize::MAX);
            }
        }
    }

    /// Ready when nothing waits to go out.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        loop {
            if self.outlet.is_empty() {
                let mut session = self.connection.session();
                session.take_output(self.outlet.text(&self.worker.buffers));
            }
            if self.outlet.is_empty() {
                return Ok(Poll::Ready(()));
            }
            match self.outlet.poll_flush(cx, &mut self.io) {
                Poll::Ready(flushed) => flushed?,
                Poll::Pending => return Ok(Poll::Pending),
            }
        }
    }

    /// Closes the connection once everything was sent. What goes wrong with one that is over is nobody's affair.
    fn poll_end(&mut self, cx: &mut Context<'_>, flushed: Poll<()>) -> Poll<()> {
        ready!(flushed);
        if !self.said_all {
            let _ = ready!(Pin::new(&mut self.io).poll_shutdown(cx));
            self.said_all = true;
        }
        // If it were dropped with something left to read, the client would be reset, perhaps before it has read all of its
        // answers, or why the connection is over.
        while !self.connection.ends_unused() && self.last_words < MOST_LAST_WORDS {
            self.inlet.take(usize::MAX);
            match ready!(self.inlet.poll_fill(cx, &mut self.io, &self.worker.buffers)) {
                Ok(1..) => self.last_words += self.inlet.bytes().len(),
                Ok(0) | Err(_) => break,
            }
        }
        Poll::Ready(())
    }
}
