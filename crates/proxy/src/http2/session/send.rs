//! What we say.

use std::task::{Context, Poll};

use super::super::Reason;
use super::super::frame::{END_HEADERS, END_STREAM, FRAME_HEAD, Kind, LARGEST_FRAME, write, write_head};
use super::super::hpack::Encoder;
use super::super::stream::{Answer, Broken, Slot};
use super::{Role, Session};

/// Bytes that may wait to go out before bodies have to wait, and nothing more is read.
const MOST_WAITING: usize = 128 * 1024;

/// Most bytes of one body that are taken at once, so that others have their turn.
const LARGEST_PIECE: usize = 64 * 1024;

/// Puts fields into a header block.
pub(crate) struct HeadWriter<'s> {
    encoder: &'s mut Encoder,
    out: &'s mut Vec<u8>,
}

impl HeadWriter<'_> {
    /// Adds a field; its name may be in any case.
    pub(crate) fn field(&mut self, name: &[u8], value: &[u8]) {
        self.encoder.encode(name, value, self.out);
    }
}

impl Session {
    /// Opens a stream with a request. `ends`: it has no body. `to_head`: its answer will have none.
    pub(crate) fn ask(
        &mut self,
        to_head: bool,
        ends: bool,
        write: impl FnOnce(&mut HeadWriter<'_>),
    ) -> Result<Slot, Broken> {
        if !self.takes_requests() {
            return Err(Broken::Unprocessed);
        }
        let id = self.next_own;
        self.next_own += 2;
        let slot = self.open_stream(id);
        self.streams[slot].answer = Answer::Awaited { interim: 0, to_head };
        self.write_fields(slot, ends, write);
        Ok(slot)
    }

    /// Whether another request can be sent.
    pub(crate) fn takes_requests(&self) -> bool {
        let most = self.peer.streams.min(self.settings.streams);
        self.closing.takes_requests() && self.streams.len() < most as usize && self.next_own < 1 << 31
    }

    /// Says the head of an answer, or the fields after a body. `ends`: nothing follows on this stream.
    pub(crate) fn write_fields(&mut self, slot: Slot, ends: bool, write: impl FnOnce(&mut HeadWriter<'_>)) {
        let stream = &mut self.streams[slot];
        if stream.broken.is_some() || stream.finished {
            return;
        }
        stream.finished = ends;
        let start = self.out.len();
        write_head(&mut self.out, 0, Kind::Headers, 0, stream.id);
        self.encoder.begin(&mut self.out);
        write(&mut HeadWriter { encoder: &mut self.encoder, out: &mut self.out });
        frame_block(&mut self.out, start, stream.id, ends);
        self.note_answered(ends);
        self.wake_driver();
    }

    /// Takes some of these bytes of a body; says how many. `ends`: nothing follows them on this stream.
    pub(crate) fn poll_write(
        &mut self,
        slot: Slot,
        cx: &mut Context<'_>,
        bytes: &[u8],
        ends: bool,
    ) -> Poll<Result<usize, Broken>> {
        let mut taken = 0;
        let room = MOST_WAITING.saturating_sub(self.out.len());
        let stream = &mut self.streams[slot];
        if stream.broken.is_some() || stream.finished {
            let broken = stream.broken.unwrap_or(Broken::Off);
            // If this was its turn, it is another's now.
            self.next_turn();
            return Poll::Ready(Err(broken));
        }
        let had_turn = std::mem::take(&mut stream.has_turn);
        let allowed = stream.send_window.min(self.send_window).max(0) as usize;
        let most = bytes.len().min(allowed).min(room).min(LARGEST_PIECE);
        for piece in bytes[..most].chunks(LARGEST_FRAME) {
            taken += piece.len();
            let last = ends && taken == bytes.len();
            write(&mut self.out, Kind::Data, if last { END_STREAM } else { 0 }, stream.id, piece);
            stream.finished |= last;
        }
        stream.send_window -= taken as i64;
        self.send_window -= taken as i64;
        if taken > 0 {
            let finished = stream.finished;
            self.note_answered(finished);
            self.next_turn();
            self.wake_driver();
            return Poll::Ready(Ok(taken));
        }
        stream.register(cx);
        if stream.send_window <= 0 {
            stream.waits_for_window = true;
            self.next_turn();
        } else if !stream.is_queued {
            stream.is_queued = true;
            // Whoever came too late to its turn, since others had taken all there was, is the first to have another.
            if had_turn { self.turns.push_front(slot) } else { self.turns.push_back(slot) }
        }
        Poll::Pending
    }

    /// Ends a body that nothing follows.
    pub(crate) fn finish(&mut self, slot: Slot) {
        let stream = &mut self.streams[slot];
        if stream.broken.is_none() && !std::mem::replace(&mut stream.finished, true) {
            write(&mut self.out, Kind::Data, END_STREAM, stream.id, &[]);
            self.note_answered(true);
            self.wake_driver();
        }
    }

    /// Breaks a stream off.
    pub(crate) fn break_off(&mut self, slot: Slot, reason: Reason) {
        self.break_off_as(slot, Broken::Off, reason);
    }

    /// Breaks a stream off; whoever holds it is told how.
    pub(super) fn break_off_as(&mut self, slot: Slot, how: Broken, reason: Reason) {
        let stream = &mut self.streams[slot];
        if stream.broken.is_none() {
            let id = stream.id;
            stream.break_off(how);
            self.reset_unopened(id, reason);
        }
    }

    /// The next stream in the queue may send, if anything can be sent.
    pub(super) fn next_turn(&mut self) {
        while self.send_window > 0
            && self.out.len() < MOST_WAITING
            && let Some(slot) = self.turns.pop_front()
        {
            let stream = &mut self.streams[slot];
            stream.is_queued = false;
            if stream.broken.is_none() {
                stream.has_turn = true;
                return stream.wake();
            }
        }
    }

    /// Takes what is to go out. `out` must be empty; its memory is used again.
    pub(crate) fn take_output(&mut self, out: &mut Vec<u8>) {
        std::mem::swap(&mut self.out, out);
        self.next_turn();
    }

    /// Whether so much waits to go out that nothing more should be read.
    pub(crate) fn is_clogged(&self) -> bool {
        self.out.len() >= MOST_WAITING
    }

    pub(super) fn open_stream(&mut self, id: u32) -> Slot {
        let slot = self.streams.open(id);
        let stream = &mut self.streams[slot];
        stream.send_window = i64::from(self.peer.window);
        stream.receive_window = i64::from(self.settings.stream_window);
        slot
    }

    pub(super) fn reset_unopened(&mut self, id: u32, reason: Reason) {
        write(&mut self.out, Kind::ResetStream, 0, id, &reason.0.to_be_bytes());
        self.wake_driver();
    }

    fn note_answered(&mut self, finished: bool) {
        if finished && self.role == Role::Server {
            self.taken_back = self.taken_back.saturating_sub(1);
        }
    }
}

/// Cuts the block behind the frame head at `start` into frames, and completes their heads.
fn frame_block(out: &mut Vec<u8>, start: usize, id: u32, ends: bool) {
    let length = out.len() - start - FRAME_HEAD;
    let flags = if ends { END_STREAM } else { 0 };
    if length <= LARGEST_FRAME {
        let [_, high, middle, low] = (length as u32).to_be_bytes();
        out[start..start + 3].copy_from_slice(&[high, middle, low]);
        out[start + 4] = flags | END_HEADERS;
        return;
    }
    let block = out.split_off(start + FRAME_HEAD);
    out.truncate(start);
    let pieces = block.len().div_ceil(LARGEST_FRAME);
    for (number, piece) in block.chunks(LARGEST_FRAME).enumerate() {
        let (kind, flags) = if number == 0 { (Kind::Headers, flags) } else { (Kind::Continuation, 0) };
        let last = if number + 1 == pieces { END_HEADERS } else { 0 };
        write(out, kind, flags | last, id, piece);
    }
}
