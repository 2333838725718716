//! Windows: how much each end may send before the other has taken it (RFC 9113, section 5.2).

use super::super::Reason;
use super::super::frame::{Kind, number, write};
use super::super::settings::{FIRST_WINDOW, LARGEST_WINDOW};
use super::super::stream::Slot;
use super::Session;

/// How much the other end may send in all.
#[derive(Debug)]
pub(super) struct ReceiveWindow {
    left: i64,
    /// What was taken, and not given back yet.
    taken: u32,
    /// When so much was taken it is given back, so that not every message costs a frame.
    worth_it: u32,
}

impl ReceiveWindow {
    pub(super) fn new(size: u32) -> Self {
        // It cannot begin with less (RFC 9113, section 6.9.2).
        let size = size.max(FIRST_WINDOW);
        Self { left: i64::from(size), taken: 0, worth_it: size / 2 }
    }
}

impl Session {
    /// So much has come.
    pub(super) fn debit(&mut self, bytes: usize) -> Result<(), Reason> {
        self.receive_window.left -= bytes as i64;
        if self.receive_window.left < 0 { Err(Reason::FLOW_CONTROL_ERROR) } else { Ok(()) }
    }

    /// So much of a body was used: the other end may send as much again.
    pub(crate) fn give_credit(&mut self, slot: Option<Slot>, bytes: usize) {
        let window = &mut self.receive_window;
        window.taken += bytes as u32;
        if window.taken >= window.worth_it {
            let given = std::mem::take(&mut window.taken);
            window.left += i64::from(given);
            self.widen(given);
            self.wake_driver();
        }
        let Some(slot) = slot else { return };
        let stream = &mut self.streams[slot];
        stream.taken += bytes as u32;
        if stream.taken >= (self.settings.stream_window / 2).max(1)
            && !stream.ended
            && stream.broken.is_none()
        {
            let given = std::mem::take(&mut stream.taken);
            stream.receive_window += i64::from(given);
            write(&mut self.out, Kind::WindowUpdate, 0, stream.id, &given.to_be_bytes());
            self.wake_driver();
        }
    }

    /// Allows the other end to send more.
    pub(super) fn widen(&mut self, bytes: u32) {
        if bytes > 0 {
            write(&mut self.out, Kind::WindowUpdate, 0, 0, &bytes.to_be_bytes());
        }
    }

    /// The other end allows us to send more.
    pub(super) fn window_update(&mut self, id: u32, payload: [u8; 4]) -> Result<(), Reason> {
        let more = i64::from(number(payload));
        if id == 0 {
            self.send_window += more;
            if more == 0 {
                return Err(Reason::PROTOCOL_ERROR);
            }
            if self.send_window > i64::from(LARGEST_WINDOW) {
                return Err(Reason::FLOW_CONTROL_ERROR);
            }
            self.next_turn();
            return Ok(());
        }
        let Some(slot) = self.known(id)? else { return Ok(()) };
        let stream = &mut self.streams[slot];
        stream.send_window += more;
        let too_large = stream.send_window > i64::from(LARGEST_WINDOW);
        if more == 0 || too_large {
            return self
                .fault(slot, if too_large { Reason::FLOW_CONTROL_ERROR } else { Reason::PROTOCOL_ERROR });
        }
        if stream.send_window > 0 && std::mem::take(&mut stream.waits_for_window) {
            stream.wake();
        }
        Ok(())
    }

    /// The windows of all streams begin with another size from now on, and those that are open move with it.
    pub(super) fn resize_windows(&mut self, before: u32, now: u32) -> Result<(), Reason> {
        let change = i64::from(now) - i64::from(before);
        let mut too_large = false;
        self.streams.each(|stream| {
            stream.send_window += change;
            too_large |= stream.send_window > i64::from(LARGEST_WINDOW);
            if stream.send_window > 0 && std::mem::take(&mut stream.waits_for_window) {
                stream.wake();
            }
        });
        if too_large { Err(Reason::FLOW_CONTROL_ERROR) } else { Ok(()) }
    }
}
