//! What the other end says.

use super::super::frame::{
    ACK, END_HEADERS, END_STREAM, FRAME_HEAD, FrameHead, Kind, WITH_PRIORITY, number, write,
};
use super::super::head::{read_request, read_response, read_trailers};
use super::super::stream::{Answer, Broken, Slot};
use super::super::{Reason, Unreadable};
use super::{Accepted, Role, Session};
use crate::http1::LONGEST_HEAD;
use crate::message::BodyLength;

/// Longest header block that is put together: more than any head that is taken can have.
const LONGEST_BLOCK: usize = 2 * LONGEST_HEAD;

/// Frames that one header block may be cut into.
const MOST_PIECES: u32 = 64;

/// Requests that may be taken back before we have looked at them; with more, the other end is attacking us ("rapid reset").
const MOST_UNSEEN: u32 = 64;

/// How many more requests may be taken back than were answered.
const MOST_TAKEN_BACK: u32 = 1_000;

/// Interim answers to one request. Whoever sends more has no answer.
const MOST_INTERIM: u32 = 100;

/// A header block of which more is to come.
pub(super) struct OpenBlock {
    stream: u32,
    ends_stream: bool,
    bytes: Vec<u8>,
    pieces: u32,
}

impl Session {
    /// Takes in what has come; says how much of it was used. The rest is the beginning of a frame, which is handed over
    /// again when more of it has come. An error ends the connection: [`Session::close`].
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<usize, Reason> {
        let mut rest = bytes;
        if !self.preface.is_empty() {
            let length = self.preface.len().min(rest.len());
            let (said, others) = rest.split_at(length);
            if said != &self.preface[..length] {
                return Err(Reason::PROTOCOL_ERROR);
            }
            (self.preface, rest) = (&self.preface[length..], others);
        }
        let mut unseen = 0;
        while !self.closing.is_over()
            && let Some((head, payload)) = FrameHead::split(rest)?
        {
            unseen += self.frame(head, payload)?;
            if unseen > MOST_UNSEEN {
                return Err(Reason::ENHANCE_YOUR_CALM);
            }
            rest = &rest[FRAME_HEAD + head.length..];
        }
        Ok(bytes.len() - rest.len())
    }

    /// Takes in a frame; says how many requests it takes back that nobody has looked at.
    fn frame(&mut self, head: FrameHead, payload: &[u8]) -> Result<u32, Reason> {
        let amid_block = self.block.is_some();
        if amid_block != (head.kind == Kind::Continuation) || (self.is_new && head.kind != Kind::Settings) {
            return Err(Reason::PROTOCOL_ERROR);
        }
        match head.kind {
            Kind::Data => self.data(head, payload)?,
            Kind::Headers => self.headers(head, payload)?,
            Kind::Continuation => self.continuation(head, payload)?,
            Kind::ResetStream => return self.reset(head.stream, *head.exactly(payload)?),
            Kind::Settings => self.apply_settings(head, payload)?,
            Kind::Ping => self.ping(head, *head.exactly(payload)?)?,
            Kind::GoAway => self.go_away(head, payload)?,
            Kind::WindowUpdate => self.window_update(head.stream, *head.exactly(payload)?)?,
            Kind::Priority if head.stream == 0 => return Err(Reason::PROTOCOL_ERROR),
            Kind::Priority => drop(head.exactly::<5>(payload)?),
            // We have told clients' ends that they are not to be pushed to, and clients cannot.
            Kind::PushPromise => return Err(Reason::PROTOCOL_ERROR),
            Kind::Unknown => {}
        }
        Ok(0)
    }

    /// The stream of this number, if it is open. One that cannot have been opened yet is a fault of the other end.
    pub(super) fn known(&self, id: u32) -> Result<Option<Slot>, Reason> {
        let opened_by_peer = (id % 2 == 1) == (self.role == Role::Server);
        let may_be = if opened_by_peer {
            id <= self.last_of_peer
        } else {
            id < self.next_own && self.role == Role::Client
        };
        if id == 0 || !may_be { Err(Reason::PROTOCOL_ERROR) } else { Ok(self.streams.find(id)) }
    }

    fn data(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Reason> {
        let slot = self.known(head.stream)?;
        self.debit(payload.len())?;
        let data = head.without_padding(payload)?;
        let Some(slot) = slot else {
            // Sent before the other end knew that the stream is over.
            self.give_credit(None, payload.len());
            return Ok(());
        };
        let stream = &mut self.streams[slot];
        if stream.ended || stream.broken.is_some() || matches!(stream.answer, Answer::Awaited { .. }) {
            let reason = if stream.ended { Reason::STREAM_CLOSED } else { Reason::PROTOCOL_ERROR };
            self.give_credit(None, payload.len());
            return self.fault(slot, reason);
        }
        stream.receive_window -= payload.len() as i64;
        let counted = if stream.receive_window < 0 {
            Err(Reason::FLOW_CONTROL_ERROR)
        } else {
            stream.count(data.len(), head.has(END_STREAM))
        };
        match counted {
            Ok(()) => {
                stream.data.extend_from_slice(data);
                stream.wake();
                self.give_credit(Some(slot), payload.len() - data.len());
                Ok(())
            }
            Err(reason) => {
                self.give_credit(None, payload.len());
                self.fault(slot, reason)
            }
        }
    }

    fn headers(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Reason> {
        let mut block = head.without_padding(payload)?;
        if head.has(WITH_PRIORITY) {
            block = block.get(5..).ok_or(Reason::FRAME_SIZE_ERROR)?;
        }
        let (stream, ends_stream) = (head.stream, head.has(END_STREAM));
        if head.has(END_HEADERS) {
            return self.header_block(stream, ends_stream, block);
        }
        self.block = Some(OpenBlock { stream, ends_stream, bytes: block.to_vec(), pieces: 1 });
        Ok(())
    }

    fn continuation(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Reason> {
        let Some(mut block) = self.block.take().filter(|block| block.stream == head.stream) else {
            return Err(Reason::PROTOCOL_ERROR);
        };
        block.pieces += 1;
        if block.pieces > MOST_PIECES || block.bytes.len() + payload.len() > LONGEST_BLOCK {
            return Err(Reason::ENHANCE_YOUR_CALM);
        }
        block.bytes.extend_from_slice(payload);
        if head.has(END_HEADERS) {
            return self.header_block(block.stream, block.ends_stream, &block.bytes);
        }
        self.block = Some(block);
        Ok(())
    }

    fn header_block(&mut self, id: u32, ends: bool, block: &[u8]) -> Result<(), Reason> {
        if self.role == Role::Server && id % 2 == 1 && id > self.last_of_peer {
            return self.request(id, ends, block);
        }
        let slot = self.known(id)?;
        let is_wanted = |slot: &Slot| self.streams[*slot].broken.is_none() && !self.streams[*slot].ended;
        if let Some(slot) = slot.filter(is_wanted) {
            let is_awaited = matches!(self.streams[slot].answer, Answer::Awaited { .. });
            return if is_awaited {
                self.answer(slot, ends, block)
            } else {
                self.trailers(slot, ends, block)
            };
        }
        // The other end may not know yet that the stream is over. The table must be kept in step all the same.
        self.decoder.decode(block, |_, _| {}).map_err(|_| Reason::COMPRESSION_ERROR)?;
        match slot {
            Some(slot) => self.fault(slot, Reason::STREAM_CLOSED),
            None if self.role == Role::Client => Ok(()),
            None => self.turn_away(id, Reason::STREAM_CLOSED),
        }
    }

    fn request(&mut self, id: u32, ends: bool, block: &[u8]) -> Result<(), Reason> {
        self.last_of_peer = id;
        let mut head = self.spare.pop().unwrap_or_default();
        let read = read_request(&mut self.decoder, block, ends, &mut head);
        let read = read.map_err(|_| Reason::COMPRESSION_ERROR)?;
        let read = match read {
            _ if self.closing.leaves_out(id) => return Ok(()),
            Err(Unreadable::Malformed) => return self.turn_away(id, Reason::PROTOCOL_ERROR),
            _ if self.streams.len() >= self.settings.streams as usize => {
                return self.turn_away(id, Reason::REFUSED_STREAM);
            }
            Err(Unreadable::Refused(fault)) => Err(fault),
            Ok(()) => Ok(()),
        };
        let slot = self.open_stream(id);
        let stream = &mut self.streams[slot];
        stream.ended = ends;
        if let BodyLength::Known(length) = head.length {
            stream.due = Some(length);
        }
        self.accepted.push_back(Accepted { slot, head, read });
        Ok(())
    }

    /// Does not take a stream that the other end opens.
    fn turn_away(&mut self, id: u32, reason: Reason) -> Result<(), Reason> {
        self.reset_unopened(id, reason);
        self.note_taken_back()
    }

    fn answer(&mut self, slot: Slot, ends: bool, block: &[u8]) -> Result<(), Reason> {
        let stream = &mut self.streams[slot];
        let Answer::Awaited { interim, to_head } = stream.answer else { return Ok(()) };
        let read = read_response(&mut self.decoder, block, ends, to_head, &mut stream.head);
        let read = read.map_err(|_| Reason::COMPRESSION_ERROR)?;
        let is_interim = stream.head.status < 200;
        let impossible = is_interim && (ends || stream.head.status == 101 || interim == MOST_INTERIM);
        if read.is_err() || impossible {
            self.break_off_as(slot, Broken::Malformed, Reason::PROTOCOL_ERROR);
            return Ok(());
        }
        if is_interim {
            stream.answer = Answer::Awaited { interim: interim + 1, to_head };
            return Ok(());
        }
        stream.answer = Answer::Begun;
        stream.ended = ends;
        stream.due = match stream.head.length {
            BodyLength::Known(length) => Some(length),
            // Whatever length is said: nothing may follow.
            BodyLength::Empty => Some(0),
            BodyLength::Streamed | BodyLength::UntilClose => None,
        };
        stream.wake();
        Ok(())
    }

    fn trailers(&mut self, slot: Slot, ends: bool, block: &[u8]) -> Result<(), Reason> {
        let stream = &mut self.streams[slot];
        let read = read_trailers(&mut self.decoder, block, &mut stream.trailers);
        let sound = read.map_err(|_| Reason::COMPRESSION_ERROR)?;
        if !sound || !ends || stream.count(0, true).is_err() {
            return self.fault(slot, Reason::PROTOCOL_ERROR);
        }
        stream.wake();
        Ok(())
    }

    fn reset(&mut self, id: u32, payload: [u8; 4]) -> Result<u32, Reason> {
        let Some(slot) = self.known(id)?.filter(|slot| self.streams[*slot].broken.is_none()) else {
            return Ok(0);
        };
        let refused = Reason(u32::from_be_bytes(payload)) == Reason::REFUSED_STREAM;
        let how = if refused && self.role == Role::Client { Broken::Unprocessed } else { Broken::Off };
        let was_under_way = self.is_under_way(slot);
        self.streams[slot].break_off(how);
        if was_under_way {
            self.note_taken_back()?;
        }
        let unseen = self.accepted.iter().any(|accepted| accepted.slot == slot);
        Ok(u32::from(unseen))
    }

    /// Breaks a stream off over what the other end has done with it. That takes a request back as surely as a reset does,
    /// and is counted like one: else whoever makes us send the resets could send requests without end ("MadeYouReset").
    pub(super) fn fault(&mut self, slot: Slot, reason: Reason) -> Result<(), Reason> {
        let was_under_way = self.is_under_way(slot);
        self.break_off(slot, reason);
        if was_under_way { self.note_taken_back() } else { Ok(()) }
    }

    /// Whether it is a request that we are about to answer.
    fn is_under_way(&self, slot: Slot) -> bool {
        let stream = &self.streams[slot];
        self.role == Role::Server && stream.broken.is_none() && !stream.finished
    }

    /// A request has made work, and nobody is going to read the answer.
    fn note_taken_back(&mut self) -> Result<(), Reason> {
        self.taken_back += 1;
        if self.taken_back > MOST_TAKEN_BACK { Err(Reason::ENHANCE_YOUR_CALM) } else { Ok(()) }
    }

    fn apply_settings(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Reason> {
        if head.stream != 0 || (self.is_new && head.has(ACK)) {
            return Err(Reason::PROTOCOL_ERROR);
        }
        if head.has(ACK) {
            return if payload.is_empty() { Ok(()) } else { Err(Reason::FRAME_SIZE_ERROR) };
        }
        let before = self.peer;
        self.peer.read(payload, self.role == Role::Client)?;
        self.is_new = false;
        if self.peer.table != before.table {
            self.encoder.set_largest_table(self.peer.table as usize);
        }
        if self.peer.window != before.window {
            self.resize_windows(before.window, self.peer.window)?;
        }
        write(&mut self.out, Kind::Settings, ACK, 0, &[]);
        Ok(())
    }

    fn ping(&mut self, head: FrameHead, payload: [u8; 8]) -> Result<(), Reason> {
        if head.stream != 0 {
            return Err(Reason::PROTOCOL_ERROR);
        }
        if head.has(ACK) {
            self.last_call_heard();
        } else {
            write(&mut self.out, Kind::Ping, ACK, 0, &payload);
        }
        Ok(())
    }

    fn go_away(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Reason> {
        let (last, _) = payload.split_first_chunk::<4>().ok_or(Reason::FRAME_SIZE_ERROR)?;
        if head.stream != 0 || payload.len() < 8 {
            return Err(if head.stream != 0 { Reason::PROTOCOL_ERROR } else { Reason::FRAME_SIZE_ERROR });
        }
        let last = number(*last);
        self.closing.told_to_go();
        if self.role == Role::Client {
            self.streams.each(|stream| {
                if stream.id > last {
                    stream.break_off(Broken::Unprocessed);
                }
            });
        }
        Ok(())
    }
}
