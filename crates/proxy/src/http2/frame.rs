//! Frames (RFC 9113, sections 4 and 6): their heads, and what is the same in the payloads of several kinds.

use super::Reason;

/// What a client says first (RFC 9113, section 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame before its payload.
pub(super) const FRAME_HEAD: usize = 9;

/// Longest payload that we take and send: what every end of a connection must take (RFC 9113, section 4.2).
pub(super) const LARGEST_FRAME: usize = 16 * 1024;

pub(super) const END_STREAM: u8 = 0x1;
pub(super) const ACK: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;
pub(super) const PADDED: u8 = 0x8;
pub(super) const WITH_PRIORITY: u8 = 0x20;

/// What a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Priority,
    ResetStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    /// To be passed over (RFC 9113, section 5.5).
    Unknown,
}

impl Kind {
    fn of(code: u8) -> Self {
        match code {
            0 => Self::Data,
            1 => Self::Headers,
            2 => Self::Priority,
            3 => Self::ResetStream,
            4 => Self::Settings,
            5 => Self::PushPromise,
            6 => Self::Ping,
            7 => Self::GoAway,
            8 => Self::WindowUpdate,
            9 => Self::Continuation,
            _ => Self::Unknown,
        }
    }
}

/// What stands before a payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameHead {
    pub(super) length: usize,
    pub(super) kind: Kind,
    pub(super) flags: u8,
    /// The stream that it is about; 0 for the connection.
    pub(super) stream: u32,
}

impl FrameHead {
    /// The first frame of these bytes; `None` if not all of it has come.
    pub(super) fn split(bytes: &[u8]) -> Result<Option<(Self, &[u8])>, Reason> {
        let Some((head, rest)) = bytes.split_first_chunk::<FRAME_HEAD>() else { return Ok(None) };
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        if length > LARGEST_FRAME {
            return Err(Reason::FRAME_SIZE_ERROR);
        }
        let stream = number([head[5], head[6], head[7], head[8]]);
        let head = Self { length, kind: Kind::of(head[3]), flags: head[4], stream };
        Ok(rest.get(..length).map(|payload| (head, payload)))
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload without its padding.
    pub(super) fn without_padding<'p>(&self, payload: &'p [u8]) -> Result<&'p [u8], Reason> {
        if !self.has(PADDED) {
            return Ok(payload);
        }
        let (length, rest) = payload.split_first().ok_or(Reason::FRAME_SIZE_ERROR)?;
        let kept = rest.len().checked_sub(usize::from(*length)).ok_or(Reason::PROTOCOL_ERROR)?;
        Ok(&rest[..kept])
    }

    /// The payload of a kind that has always the same length.
    pub(super) fn exactly<'p, const N: usize>(&self, payload: &'p [u8]) -> Result<&'p [u8; N], Reason> {
        payload.try_into().map_err(|_| Reason::FRAME_SIZE_ERROR)
    }
}

/// A number of 31 bits; the bit before it is reserved.
pub(super) fn number(bytes: [u8; 4]) -> u32 {
    u32::from_be_bytes(bytes) & 0x7fff_ffff
}

/// Writes the head of a frame.
pub(super) fn write_head(out: &mut Vec<u8>, length: usize, kind: Kind, flags: u8, stream: u32) {
    let [_, high, middle, low] = (length as u32).to_be_bytes();
    let [a, b, c, d] = stream.to_be_bytes();
    out.extend_from_slice(&[high, middle, low, kind as u8, flags, a, b, c, d]);
}

/// Writes a whole frame.
pub(super) fn write(out: &mut Vec<u8>, kind: Kind, flags: u8, stream: u32, payload: &[u8]) {
    write_head(out, payload.len(), kind, flags, stream);
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_is_written_once_all_of_it_has_come() {
        let mut bytes = Vec::new();
        write(&mut bytes, Kind::Ping, ACK, 7, b"12345678");
        for end in 0..bytes.len() {
            assert!(FrameHead::split(&bytes[..end]).unwrap().is_none());
        }
        bytes.extend_from_slice(b"more");
        let (head, payload) = FrameHead::split(&bytes).unwrap().unwrap();
        assert_eq!((head.kind, head.stream, payload), (Kind::Ping, 7, &b"12345678"[..]));
        assert!(head.has(ACK) && !head.has(PADDED));
        assert!(FrameHead::split(&[0, 0x40, 1, 0, 0, 0, 0, 0, 1]).is_err(), "too large");
    }

    #[test]
    fn padding_is_taken_off_and_cannot_be_longer_than_its_frame() {
        let read = |flags: u8, payload: &'static [u8]| {
            let head = FrameHead { length: payload.len(), kind: Kind::Data, flags, stream: 1 };
            head.without_padding(payload)
        };
        assert_eq!(read(0, b"\x02abcd"), Ok(&b"\x02abcd"[..]));
        assert_eq!(read(PADDED, b"\x02abcd"), Ok(&b"ab"[..]));
        assert_eq!(read(PADDED, b"\x04abcd"), Ok(&b""[..]));
        assert_eq!(read(PADDED, b"\x05abcd"), Err(Reason::PROTOCOL_ERROR));
        assert_eq!(read(PADDED, b""), Err(Reason::FRAME_SIZE_ERROR));
    }
}
