//! Buffers that nobody uses at the moment. Idle connections have none: ten thousand of them cost what their tasks cost.

use std::cell::RefCell;

use bytes::BytesMut;

/// Size of a buffer for heads and small bodies.
const SMALL: usize = 16 * 1024;

/// How many of each kind are kept.
const MOST_KEPT: usize = 64;

/// The spare buffers of one thread.
#[derive(Default)]
pub(in crate::worker) struct Buffers {
    small: RefCell<Vec<BytesMut>>,
    large: RefCell<Vec<BytesMut>>,
    text: RefCell<Vec<Vec<u8>>>,
}

impl Buffers {
    /// An empty buffer with room for so many bytes.
    pub(super) fn take(&self, room: usize) -> BytesMut {
        let kept = if room <= SMALL { self.small.borrow_mut().pop() } else { self.large.borrow_mut().pop() };
        let mut buffer = kept.unwrap_or_else(|| BytesMut::with_capacity(room.max(SMALL)));
        buffer.reserve(room);
        buffer
    }

    /// Takes back an empty buffer.
    pub(super) fn give(&self, mut buffer: BytesMut) {
        buffer.clear();
        // What lies before the reader's place comes back with this, if nobody else holds on to it.
        let whole = buffer.try_reclaim(SMALL);
        let kept = if buffer.capacity() <= 2 * SMALL { &self.small } else { &self.large };
        let mut kept = kept.borrow_mut();
        if whole && kept.len() < MOST_KEPT {
            kept.push(buffer);
        }
    }

    /// An empty text.
    pub(super) fn take_text(&self) -> Vec<u8> {
        self.text.borrow_mut().pop().unwrap_or_default()
    }

    /// Takes back a text.
    pub(super) fn give_text(&self, mut text: Vec<u8>) {
        let mut kept = self.text.borrow_mut();
        if text.capacity() > 0 && text.capacity() <= 4 * SMALL && kept.len() < MOST_KEPT {
            text.clear();
            kept.push(text);
        }
    }
}
