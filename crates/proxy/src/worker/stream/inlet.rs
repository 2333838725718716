//! What has come and was not used yet.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};

use super::{Buffers, Transport};

/// Room for the first read.
const FIRST_READ: usize = 8 * 1024;

/// Room for one read when much comes at once: a body of 100 KiB takes one.
const LARGEST_READ: usize = 128 * 1024;

/// What has come from a connection and was not used yet. Holds memory only while there is something.
#[derive(Default)]
pub(in crate::worker) struct Inlet {
    buffer: BytesMut,
    /// Room for the next read: grows while reads fill it, shrinks while they do not.
    room: usize,
}

impl Inlet {
    /// What was read before.
    pub(in crate::worker) fn of(buffer: BytesMut) -> Self {
        Self { buffer, room: 0 }
    }

    pub(in crate::worker) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    pub(in crate::worker) fn into_bytes(self) -> BytesMut {
        self.buffer
    }

    pub(in crate::worker) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// So many bytes were used.
    pub(in crate::worker) fn take(&mut self, bytes: usize) {
        self.buffer.advance(bytes.min(self.buffer.len()));
    }

    /// Reads once; says how many bytes came, 0 at the end.
    pub(in crate::worker) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Transport,
        buffers: &Buffers,
    ) -> Poll<io::Result<usize>> {
        let room = self.room.max(FIRST_READ);
        if self.buffer.capacity() == 0 {
            self.buffer = buffers.take(room);
        } else {
            self.buffer.reserve(room);
        }
        let spare = self.buffer.capacity() - self.buffer.len();
        let polled = tokio_util::io::poll_read_buf(Pin::new(io), cx, &mut self.buffer);
        if polled.is_pending() && self.buffer.is_empty() {
            self.rest(buffers);
        }
        let read = ready!(polled)?;
        self.room = if read >= spare {
            (spare * 2).clamp(FIRST_READ, LARGEST_READ)
        } else if read < room / 4 {
            room / 2
        } else {
            room
        };
        Poll::Ready(Ok(read))
    }

    /// Gives its memory back if there is nothing in it.
    pub(in crate::worker) fn rest(&mut self, buffers: &Buffers) {
        if self.buffer.is_empty() && self.buffer.capacity() > 0 {
            buffers.give(std::mem::take(&mut self.buffer));
        }
    }
}
