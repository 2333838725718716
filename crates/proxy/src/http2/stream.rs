//! The streams of a connection.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::{Index, IndexMut};
use std::task::{Context, Waker};

use super::Reason;
use crate::message::{Fields, ResponseHead};

/// Memory for data that a stream may keep for the next one in its place.
const MOST_KEPT: usize = 4 * 1024;

/// Places that are kept when no stream is open.
const MOST_SLOTS: usize = 16;

/// Where a stream is kept for as long as somebody holds on to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(u32);

/// One stream: what has come on it and was not looked at yet, and what it may still send.
#[derive(Default)]
pub(super) struct Stream {
    pub(super) id: u32,
    /// Data that nobody has taken yet.
    pub(super) data: Vec<u8>,
    /// The head of the answer, at a client, until it is taken.
    pub(super) head: ResponseHead,
    pub(super) trailers: Fields,
    pub(super) answer: Answer,
    /// How much of the body is still to come, if that was said.
    pub(super) due: Option<u64>,
    /// The other end has said all it has to say.
    pub(super) ended: bool,
    /// We have.
    pub(super) finished: bool,
    /// It was broken off, and why.
    pub(super) broken: Option<Broken>,
    /// How much the other end may still send. May be below 0 where the window was made smaller meanwhile.
    pub(super) receive_window: i64,
    /// What was taken, and not given back to that window yet.
    pub(super) taken: u32,
    /// How much we may still send; may be below 0.
    pub(super) send_window: i64,
    /// Waits until it may send: by its own window.
    pub(super) waits_for_window: bool,
    /// Waits in the connection's queue for its turn to send.
    pub(super) is_queued: bool,
    /// It was woken because it is its turn, and has not been seen since.
    pub(super) has_turn: bool,
    waker: Option<Waker>,
}

/// How far the answer to our request has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Answer {
    /// We are the ones who answer.
    #[default]
    Ours,
    /// So many interim answers have come, and no other. `to_head`: the answer will have no body.
    Awaited { interim: u32, to_head: bool },
    /// Its head has come, and waits to be taken.
    Begun,
    /// Its head has been taken.
    Taken,
}

/// How a stream was broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// By us, by the other end, or with the connection.
    Off,
    /// What came as an answer is none.
    Malformed,
    /// The other end has not begun with the request and never will (RFC 9113, section 8.7).
    Unprocessed,
}

impl Stream {
    /// Has this task woken when something happens to the stream.
    pub(super) fn register(&mut self, cx: &mut Context<'_>) {
        match &mut self.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    pub(super) fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// It is broken off, unless it was before.
    pub(super) fn break_off(&mut self, how: Broken) {
        self.broken.get_or_insert(how);
        self.wake();
    }

    /// Takes over so much data of a body; refuses more, or less at the end, than was announced.
    pub(super) fn count(&mut self, bytes: usize, ends: bool) -> Result<(), Reason> {
        if let Some(due) = &mut self.due {
            *due = due.checked_sub(bytes as u64).ok_or(Reason::PROTOCOL_ERROR)?;
            if ends && *due > 0 {
                return Err(Reason::PROTOCOL_ERROR);
            }
        }
        self.ended |= ends;
        Ok(())
    }

    /// Forgets everything and becomes another stream; memory is kept.
    fn become_another(&mut self, id: u32) {
        let mut data = std::mem::take(&mut self.data);
        data.clear();
        if data.capacity() > MOST_KEPT {
            data = Vec::new();
        }
        let (head, mut trailers) = (std::mem::take(&mut self.head), std::mem::take(&mut self.trailers));
        trailers.clear();
        *self = Self { id, data, head, trailers, ..Self::default() };
    }
}

/// All open streams.
#[derive(Default)]
pub(super) struct Streams {
    slots: Vec<Stream>,
    free: Vec<Slot>,
    by_id: HashMap<u32, Slot, BuildHasherDefault<IdHasher>>,
}

impl Streams {
    pub(super) fn open(&mut self, id: u32) -> Slot {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Stream::default());
            Slot(self.slots.len() as u32 - 1)
        });
        self[slot].become_another(id);
        self.by_id.insert(id, slot);
        slot
    }

    pub(super) fn find(&self, id: u32) -> Option<Slot> {
        self.by_id.get(&id).copied()
    }

    /// Nobody holds on to it any more.
    pub(super) fn close(&mut self, slot: Slot) {
        let id = self[slot].id;
        self.by_id.remove(&id);
        if self.by_id.is_empty() && self.slots.len() > MOST_SLOTS {
            (self.slots, self.free) = (Vec::new(), Vec::new());
            return;
        }
        self[slot].become_another(0);
        self.free.push(slot);
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn each(&mut self, mut act: impl FnMut(&mut Stream)) {
        for slot in self.by_id.values() {
            act(&mut self.slots[slot.0 as usize]);
        }
    }
}

impl Index<Slot> for Streams {
    type Output = Stream;

    fn index(&self, slot: Slot) -> &Stream {
        &self.slots[slot.0 as usize]
    }
}

impl IndexMut<Slot> for Streams {
    fn index_mut(&mut self, slot: Slot) -> &mut Stream {
        &mut self.slots[slot.0 as usize]
    }
}

/// Spreads the numbers of streams. There are never more than a few hundred at a time, so that it is no matter if
/// somebody chooses them badly.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, number: u32) {
        // 2^64 divided by the golden ratio: neighbours end up far from each other.
        let spread = (self.0 ^ u64::from(number)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ spread >> 32;
    }
}
