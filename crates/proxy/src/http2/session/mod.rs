//! One connection, seen from one of its ends: frames come in, frames go out, and between them are streams. Nothing here
//! reads a socket or knows the time; whoever does hands over what has come and takes what is to go.

mod closing;
mod flow;
mod receive;
mod send;

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use closing::Closing;
use flow::ReceiveWindow;

pub(crate) use send::HeadWriter;

use super::Reason;
use super::frame::PREFACE;
use super::hpack::{Decoder, Encoder};
use super::settings::{FIRST_WINDOW, PeerSettings, Settings};
use super::stream::{Answer, Broken, Slot, Streams};
use crate::http1::HeadFault;
use crate::message::{Fields, RequestHead, ResponseHead};

/// Bytes of HPACK's table that the other end may fill.
const TABLE: usize = 4096;

/// Heads that are kept for the next requests.
const MOST_SPARE: usize = 32;

/// Which end of a connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It answers.
    Server,
    /// It asks.
    Client,
}

/// One end of a connection.
pub(crate) struct Session {
    role: Role,
    settings: Settings,
    peer: PeerSettings,
    decoder: Decoder,
    encoder: Encoder,
    streams: Streams,
    /// Bytes that are to go out.
    out: Vec<u8>,
    receive_window: ReceiveWindow,
    /// How much of all bodies we may still send.
    send_window: i64,
    /// Streams that wait for their turn to send.
    turns: VecDeque<Slot>,
    /// How much of the preface is still to come.
    preface: &'static [u8],
    /// The other end has said nothing yet; SETTINGS come first.
    is_new: bool,
    /// A header block that is not complete.
    block: Option<receive::OpenBlock>,
    /// The highest number that the other end has opened a stream with.
    last_of_peer: u32,
    /// The number of the next stream that we open.
    next_own: u32,
    accepted: VecDeque<Accepted>,
    spare: Vec<RequestHead>,
    /// How many more requests the other end has taken back than it has let us answer.
    taken_back: u32,
    closing: Closing,
    /// Whoever moves the bytes; none while it is at it.
    driver: Option<Waker>,
}

/// A request that has come.
pub(crate) struct Accepted {
    pub(crate) slot: Slot,
    pub(crate) head: RequestHead,
    /// Whether it can be read; if not, it is answered with why.
    pub(crate) read: Result<(), HeadFault>,
}

/// What comes next of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Data.
    Data,
    /// It has ended, and its trailers are known.
    End,
}

impl Session {
    pub(crate) fn new(role: Role, settings: Settings) -> Self {
        let mut session = Self {
            role,
            settings,
            peer: PeerSettings::default(),
            decoder: Decoder::new(TABLE),
            encoder: Encoder::new(),
            streams: Streams::default(),
            out: Vec::new(),
            receive_window: ReceiveWindow::new(settings.connection_window),
            send_window: i64::from(FIRST_WINDOW),
            turns: VecDeque::new(),
            preface: b"",
            is_new: true,
            block: None,
            last_of_peer: 0,
            next_own: 1,
            accepted: VecDeque::new(),
            spare: Vec::new(),
            taken_back: 0,
            closing: Closing::default(),
            driver: None,
        };
        match role {
            Role::Server => session.preface = PREFACE,
            Role::Client => session.out.extend_from_slice(PREFACE),
        }
        settings.write(&mut session.out, role == Role::Server);
        session.widen(settings.connection_window.saturating_sub(FIRST_WINDOW));
        session
    }

    /// The other end has said nothing yet that makes this a connection.
    pub(crate) fn is_new(&self) -> bool {
        self.is_new
    }

    /// How many streams are open.
    pub(crate) fn open_streams(&self) -> usize {
        self.streams.len()
    }

    /// Whether requests have come that were not looked at.
    pub(crate) fn has_accepted(&self) -> bool {
        !self.accepted.is_empty()
    }

    /// A request that has come and was not looked at. Whoever takes it has its stream to [release](Session::release).
    pub(crate) fn accept(&mut self) -> Option<Accepted> {
        loop {
            let accepted = self.accepted.pop_front()?;
            if self.streams[accepted.slot].broken.is_none() {
                return Some(accepted);
            }
            // Taken back already.
            self.release(accepted.slot);
            self.give_back(accepted.head);
        }
    }

    /// Takes back a head that is not needed any more.
    pub(crate) fn give_back(&mut self, head: RequestHead) {
        if self.spare.len() < MOST_SPARE {
            self.spare.push(head);
        }
    }

    /// Somebody has begun to move the bytes.
    pub(crate) fn drive(&mut self) {
        self.driver = None;
    }

    /// Has this task woken when there is something to send, since it waits now.
    pub(crate) fn rest(&mut self, cx: &mut Context<'_>) {
        self.driver = Some(cx.waker().clone());
    }

    /// Looks for more of a body. The data is put into `data`, which must be empty, and whose memory is used again.
    pub(crate) fn poll_read(
        &mut self,
        slot: Slot,
        cx: &mut Context<'_>,
        data: &mut Vec<u8>,
        trailers: &mut Fields,
    ) -> Poll<Result<Next, Broken>> {
        let stream = &mut self.streams[slot];
        if !stream.data.is_empty() {
            std::mem::swap(&mut stream.data, data);
            return Poll::Ready(Ok(Next::Data));
        }
        if stream.ended {
            std::mem::swap(&mut stream.trailers, trailers);
            return Poll::Ready(Ok(Next::End));
        }
        if let Some(broken) = stream.broken {
            return Poll::Ready(Err(broken));
        }
        stream.register(cx);
        Poll::Pending
    }

    /// Waits for the head of an answer.
    pub(crate) fn poll_answer(
        &mut self,
        slot: Slot,
        cx: &mut Context<'_>,
        head: &mut ResponseHead,
    ) -> Poll<Result<(), Broken>> {
        let stream = &mut self.streams[slot];
        if stream.answer == Answer::Begun {
            stream.answer = Answer::Taken;
            std::mem::swap(&mut stream.head, head);
            return Poll::Ready(Ok(()));
        }
        if let Some(broken) = stream.broken {
            return Poll::Ready(Err(broken));
        }
        stream.register(cx);
        Poll::Pending
    }

    /// Ready when the stream has been broken off.
    pub(crate) fn poll_broken(&mut self, slot: Slot, cx: &mut Context<'_>) -> Poll<()> {
        let stream = &mut self.streams[slot];
        if stream.broken.is_some() {
            return Poll::Ready(());
        }
        stream.register(cx);
        Poll::Pending
    }

    /// Gives back the memory of what was read from a stream.
    pub(crate) fn return_memory(&mut self, slot: Slot, mut data: Vec<u8>, trailers: Fields) {
        data.clear();
        let stream = &mut self.streams[slot];
        if stream.data.is_empty() && stream.data.capacity() < data.capacity() {
            stream.data = data;
        }
        if stream.ended {
            stream.trailers = trailers;
        }
    }

    /// Gives back memory that is not needed until there are streams again.
    pub(crate) fn trim(&mut self) {
        self.spare.truncate(1);
        if self.out.is_empty() {
            self.out = Vec::new();
        }
    }

    /// Nobody is interested in the stream any more. One that has not ended on both sides is broken off.
    pub(crate) fn release(&mut self, slot: Slot) {
        let stream = &mut self.streams[slot];
        let (unread, done) = (stream.data.len(), stream.ended && stream.finished);
        if !done && stream.broken.is_none() {
            // A whole answer to a request of which the rest is not wanted is no fault (RFC 9113, section 8.1).
            let reason =
                if stream.finished && self.role == Role::Server { Reason::NO_ERROR } else { Reason::CANCEL };
            self.break_off(slot, reason);
        }
        self.give_credit(None, unread);
        let was_queued = self.streams[slot].is_queued;
        if was_queued {
            self.turns.retain(|queued| *queued != slot);
        }
        self.streams.close(slot);
        // It may have been its turn.
        self.next_turn();
        if self.closing.is_done(self.streams.len()) {
            self.wake_driver();
        }
    }

    fn wake_driver(&mut self) {
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }
}
