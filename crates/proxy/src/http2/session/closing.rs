//! How a connection ends.

use super::super::Reason;
use super::super::frame::{Kind, write};
use super::super::stream::Broken;
use super::Session;

/// The highest number that a stream can have.
const ANY: u32 = (1 << 31) - 1;

/// How far the end has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// The other end has been told to open no more streams. Those that are on their way are still served.
    LastCall,
    /// It knows; no stream after this one is served.
    Leaving { last: u32 },
    /// Nothing is read or sent any more but what waits to go out.
    Over,
}

#[derive(Debug, Default)]
pub(super) struct Closing {
    state: State,
    /// The other end wants no more streams.
    told: bool,
}

impl Closing {
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    pub(super) fn told_to_go(&mut self) {
        self.told = true;
    }

    pub(super) fn takes_requests(&self) -> bool {
        self.state == State::Open && !self.told
    }

    /// Whether a stream of this number comes too late.
    pub(super) fn leaves_out(&self, id: u32) -> bool {
        matches!(self.state, State::Leaving { last } if id > last)
    }

    /// The number of the last stream that is served: once said, it never rises (RFC 9113, section 6.8).
    fn last(&self, opened: u32) -> u32 {
        match self.state {
            State::Leaving { last } => last,
            State::Open | State::LastCall | State::Over => opened,
        }
    }

    /// Whether nothing keeps the connection open any more.
    pub(super) fn is_done(&self, streams: usize) -> bool {
        match self.state {
            State::Over => true,
            State::Leaving { .. } => streams == 0,
            State::Open | State::LastCall => self.told && streams == 0,
        }
    }
}

impl Session {
    /// Tells the other end to open no more streams here; those that are open go on to their ends. Those that it has opened
    /// before it could know are served as well: it is asked to say when it knows (RFC 9113, section 6.8).
    pub(crate) fn leave(&mut self) {
        if self.closing.state != State::Open {
            return;
        }
        self.closing.state = State::LastCall;
        self.say_goaway(ANY, Reason::NO_ERROR);
        write(&mut self.out, Kind::Ping, 0, 0, b"last one");
        self.wake_driver();
    }

    /// The other end has heard that it should go.
    pub(super) fn last_call_heard(&mut self) {
        if self.closing.state == State::LastCall {
            self.closing.state = State::Leaving { last: self.last_of_peer };
            self.say_goaway(self.last_of_peer, Reason::NO_ERROR);
        }
    }

    /// Ends everything at once, and tells the other end why.
    pub(crate) fn close(&mut self, reason: Reason) {
        if !self.closing.is_over() {
            self.say_goaway(self.closing.last(self.last_of_peer), reason);
            self.lose();
        }
    }

    /// The connection is gone, and all streams with it.
    pub(crate) fn lose(&mut self) {
        self.closing.state = State::Over;
        self.turns.clear();
        self.streams.each(|stream| {
            stream.is_queued = false;
            stream.break_off(Broken::Off);
        });
        self.wake_driver();
    }

    /// Whether nothing is left to be done but to send what waits.
    pub(crate) fn is_done(&self) -> bool {
        self.closing.is_done(self.streams.len())
    }

    /// Whether it was ended at once, or is gone.
    pub(crate) fn is_over(&self) -> bool {
        self.closing.is_over()
    }

    fn say_goaway(&mut self, last: u32, reason: Reason) {
        let payload = [last.to_be_bytes(), reason.0.to_be_bytes()].concat();
        write(&mut self.out, Kind::GoAway, 0, 0, &payload);
    }
}
