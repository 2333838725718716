//! What each end tells the other of itself (RFC 9113, section 6.5).

use super::Reason;
use super::frame::{Kind, LARGEST_FRAME, write_head};

const HEADER_TABLE_SIZE: u16 = 1;
const ENABLE_PUSH: u16 = 2;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_FRAME_SIZE: u16 = 5;
const MAX_HEADER_LIST_SIZE: u16 = 6;

/// Size of every window before anything else was said (RFC 9113, section 6.9.2).
pub(super) const FIRST_WINDOW: u32 = 65_535;

/// Largest size of a window.
pub(super) const LARGEST_WINDOW: u32 = (1 << 31) - 1;

/// What the other end has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PeerSettings {
    /// How much may be sent on a new stream.
    pub(super) window: u32,
    /// How many streams we may open at a time.
    pub(super) streams: u32,
    /// Bytes of HPACK's table.
    pub(super) table: u32,
}

impl Default for PeerSettings {
    fn default() -> Self {
        Self { window: FIRST_WINDOW, streams: u32::MAX, table: 4096 }
    }
}

impl PeerSettings {
    /// Takes over what a SETTINGS frame says. `of_server`: the other end is one, and cannot be pushed to.
    pub(super) fn read(&mut self, payload: &[u8], of_server: bool) -> Result<(), Reason> {
        let (settings, rest) = payload.as_chunks::<6>();
        if !rest.is_empty() {
            return Err(Reason::FRAME_SIZE_ERROR);
        }
        for [a, b, c, d, e, f] in settings {
            let value = u32::from_be_bytes([*c, *d, *e, *f]);
            match u16::from_be_bytes([*a, *b]) {
                HEADER_TABLE_SIZE => self.table = value,
                ENABLE_PUSH if value > u32::from(!of_server) => return Err(Reason::PROTOCOL_ERROR),
                MAX_CONCURRENT_STREAMS => self.streams = value,
                INITIAL_WINDOW_SIZE if value > LARGEST_WINDOW => return Err(Reason::FLOW_CONTROL_ERROR),
                INITIAL_WINDOW_SIZE => self.window = value,
                MAX_FRAME_SIZE if !(LARGEST_FRAME as u32..1 << 24).contains(&value) => {
                    return Err(Reason::PROTOCOL_ERROR);
                }
                // Ours are never larger than the smallest that can be said, and heads are what they are.
                _ => {}
            }
        }
        Ok(())
    }
}

/// What we say of ourselves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// Streams that the other end may have open at a time. Says a client, too: none.
    pub(crate) streams: u32,
    /// How much of one message may be under way.
    pub(crate) stream_window: u32,
    /// How much of all messages of the connection may be under way.
    pub(crate) connection_window: u32,
    /// Longest head that is taken, as HPACK counts it.
    pub(crate) head: u32,
}

impl Settings {
    pub(super) fn write(&self, out: &mut Vec<u8>, as_server: bool) {
        let first = if as_server { (MAX_CONCURRENT_STREAMS, self.streams) } else { (ENABLE_PUSH, 0) };
        let all = [first, (INITIAL_WINDOW_SIZE, self.stream_window), (MAX_HEADER_LIST_SIZE, self.head)];
        write_head(out, all.len() * 6, Kind::Settings, 0, 0);
        for (name, value) in all {
            out.extend_from_slice(&name.to_be_bytes());
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(u16, u32)], of_server: bool) -> Result<PeerSettings, Reason> {
        let bytes: Vec<u8> = settings
            .iter()
            .flat_map(|(name, value)| [&name.to_be_bytes()[..], &value.to_be_bytes()].concat())
            .collect();
        let mut peer = PeerSettings::default();
        peer.read(&bytes, of_server).map(|()| peer)
    }

    #[test]
    fn settings_are_read_and_what_cannot_be_is_refused() {
        let peer = read(&[(4, 10), (3, 7), (99, 1), (4, 20)], false).unwrap();
        assert_eq!(peer, PeerSettings { window: 20, streams: 7, table: 4096 });
        assert_eq!(read(&[(4, 1 << 31)], false), Err(Reason::FLOW_CONTROL_ERROR));
        for wrong in [(2, 2), (5, 16_383), (5, 1 << 24)] {
            assert_eq!(read(&[wrong], false), Err(Reason::PROTOCOL_ERROR));
        }
        assert!(read(&[(2, 1)], false).is_ok() && read(&[(2, 1)], true).is_err());
        assert_eq!(PeerSettings::default().read(&[0; 5], false), Err(Reason::FRAME_SIZE_ERROR));
    }
}
