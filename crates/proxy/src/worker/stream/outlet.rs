//! What waits to go out.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

use super::{Buffers, Transport};

/// Up to here bytes are copied behind those that wait already, so that head and body go out in one system call.
const COPIED: usize = 4 * 1024;

/// What waits to go out to a connection: heads and framing, and small bodies behind them. Large bodies are written from
/// where they lie.
#[derive(Default)]
pub(in crate::worker) struct Outlet {
    waiting: Vec<u8>,
    sent: usize,
    unflushed: bool,
    /// Bytes that the connection has taken, ever.
    pub(in crate::worker) written: u64,
}

impl Outlet {
    /// Where the next bytes are put.
    pub(in crate::worker) fn text(&mut self, buffers: &Buffers) -> &mut Vec<u8> {
        if self.waiting.capacity() == 0 {
            self.waiting = buffers.take_text();
        }
        &mut self.waiting
    }

    pub(in crate::worker) fn is_empty(&self) -> bool {
        self.sent == self.waiting.len() && !self.unflushed
    }

    /// Takes some of these bytes, in their turn; says how many.
    pub(in crate::worker) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Transport,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.waiting.len() - self.sent + bytes.len() <= COPIED {
            self.waiting.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        loop {
            let waiting = &self.waiting[self.sent..];
            let slices = [IoSlice::new(waiting), IoSlice::new(bytes)];
            let before = waiting.len();
            let written = ready!(if before == 0 {
                Pin::new(&mut *io).poll_write(cx, bytes)
            } else {
                Pin::new(&mut *io).poll_write_vectored(cx, &slices)
            })?;
            self.count(written)?;
            if written >= before {
                self.clear();
                if written > before {
                    return Poll::Ready(Ok(written - before));
                }
            } else {
                self.sent += written;
            }
        }
    }

    /// Ready when nothing waits any more.
    pub(in crate::worker) fn poll_flush(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Transport,
    ) -> Poll<io::Result<()>> {
        while self.sent < self.waiting.len() {
            let written = ready!(Pin::new(&mut *io).poll_write(cx, &self.waiting[self.sent..]))?;
            self.count(written)?;
            self.sent += written;
        }
        self.clear();
        if self.unflushed {
            ready!(Pin::new(io).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Gives its memory back if nothing waits.
    pub(in crate::worker) fn rest(&mut self, buffers: &Buffers) {
        if self.is_empty() {
            self.sent = 0;
            buffers.give_text(std::mem::take(&mut self.waiting));
        }
    }

    fn count(&mut self, written: usize) -> io::Result<()> {
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.unflushed = true;
        self.written += written as u64;
        Ok(())
    }

    fn clear(&mut self) {
        self.waiting.clear();
        self.sent = 0;
    }
}
